#!/usr/bin/env python3
"""Tests the pipelines in examples/ci and action.yml with the built binary and the sandbox. Called by .ci/pipelines.

Each scene is a function that sets up a state, triggers events, and checks the outcome. `play.py WORD…` only runs the scenes whose
names contain one of the words.
"""

import atexit
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gitlab
import yaml
from actions import OUR_ACTION, OUR_COMMIT, OUR_REPOSITORY, GitHub, Runner
from pylon import Pylon

PROJECT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROLECALL_BINARY", PROJECT / "target/release/rolecall")).resolve()
TOKEN = "sandbox-token"

ORGANIZATION = {
    "organization": {"id": "org_acme", "name": "Acme Support"},
    "users": [
        {"email": "ana@acme.example", "role": "admin"},
        {"email": "ben@acme.example", "role": "admin"},
        {"email": "bo@acme.example", "role": "viewer"},
        {"email": "cy@acme.example", "role": "member"},
    ],
}
ROOT = 'include = ["teams/*.toml"]\n\n[users]\n"ana@acme.example" = { role = "Admin" }\n"ben@acme.example" = { role = "Admin" }\n'
BEFORE = {
    "users.toml": ROOT,
    "teams/emea.toml": '[users]\n"bo@acme.example" = { role = "Viewer" }\n"cy@acme.example" = { role = "Member" }\n',
}
# Bo becomes a Member.
PROMOTED = {"teams/emea.toml": BEFORE["teams/emea.toml"].replace("Viewer", "Member")}
# Leaves only one Admin.
REFUSED = {"users.toml": ROOT.replace('"ben@acme.example" = { role = "Admin" }', '"ben@acme.example" = { role = "Member" }')}
BROKEN = {"teams/emea.toml": '[users]\n"bo@acme.example" = { rolle = "Member" }\n'}


class Stage:
    """A folder with a Pylon and a GitHub whose main branch is in sync with Pylon."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="rolecall-play-"))
        self.pylon = Pylon(self.folder, BINARY, ORGANIZATION)
        self.github = GitHub(self.folder, PROJECT, BINARY, TOKEN)
        self.github.job_environment = {"PYLON_BASE_URL": self.pylon.url, "NO_COLOR": "1"}
        self.github.commit("main", BEFORE)
        self.logs = []
        # A measurement to print next to the scene's name.
        self.figure = ""

    def reviewed(self, files, branch="change"):
        """Merges a pull request whose plan succeeded, and returns main's new commit."""
        number = self.github.pull_request(branch, files)
        green(self, self.github.on_pull_request(number))
        return self.github.merge(number)

    def role(self, name):
        return self.pylon.people()[f"{name}@acme.example"][0]

    def close(self):
        self.pylon.stop()
        shutil.rmtree(self.folder)


def seen(stage, run):
    stage.logs.append(run.log)
    for text in [run.log, *(job.summary for job in run.jobs.values())]:
        assert TOKEN not in text and "ghs_" not in text, "a token is in the log"
    for job in run.jobs.values():
        assert set(job.trusted) <= {"Run rolecall"}, f"these had Pylon's token: {job.trusted}"
    return run


def green(stage, run):
    assert seen(stage, run).conclusion == "success", run.log
    return run


def red(stage, run):
    assert seen(stage, run).conclusion == "failure", run.log
    return run


def comment(stage, number):
    comments = stage.github.comments(number)
    assert len(comments) == 1, f"{len(comments)} comments"
    return comments[0]


def in_order(text, *parts):
    at = 0
    for part in parts:
        assert part in text[at:], f"{part!r} does not come next in:\n{text}"
        at = text.index(part, at) + len(part)


# ── the pull request ────────────────────────────────────────────────────────────────────────────────────────────────────


def a_pull_request_gets_one_comment_with_what_it_causes(stage):
    number = stage.github.pull_request("change", PROMOTED)
    run = green(stage, stage.github.on_pull_request(number))
    head, base = stage.github.pull(number)["head"]["sha"], stage.github.git("rev-parse", "main")
    body = comment(stage, number)
    in_order(body, "<!-- rolecall comment users.toml -->", "<!-- rolecall:plan -->", "### 1 person changes\n", f"compared with `{base[:7]}`",
             "| `bo@acme.example`", f"**this change**<br>[`teams/emea.toml:2`](https://github.com/acme/people/blob/{head}/teams/emea.toml#L2)",
             "exit code 2", "[summary and log of the run]", "[as a page](https://github.com/acme/people/actions/artifacts/")
    assert str(stage.folder) not in body, "a path of the runner"
    in_order(run.jobs["check"].summary, "<!-- rolecall:validate -->", "<!-- rolecall:compare -->")
    assert "<!-- rolecall:compare -->" not in run.jobs["plan"].summary
    names = [kept["name"] for kept in stage.github.read()["artifacts"]]
    assert names == ["rolecall-plan", "rolecall-page-plan-users.toml"], names
    assert stage.pylon.patches() == 0


def the_next_push_updates_the_comment_and_ignores_forged_ones(stage):
    number = stage.github.pull_request("change", PROMOTED)
    with stage.github.world() as world:
        forged = {"on": number, "user": {"login": "mallory"}, "body": "<!-- rolecall comment users.toml -->\nAll is well."}
        world["comments"] += [forged | {"id": each} for each in range(130)]
    green(stage, stage.github.on_pull_request(number))
    first = comment(stage, number)
    stage.github.pull_request("change", {"teams/emea.toml": PROMOTED["teams/emea.toml"].replace('"cy@acme.example" = { role = "Member" }',
                                                                                                '"cy@acme.example" = { role = "Viewer" }')})
    green(stage, stage.github.on_pull_request(number))
    second = comment(stage, number)
    assert "cy@acme.example" not in first and "cy@acme.example" in second
    assert set(stage.github.comments(number, of="mallory")) == {forged["body"]}
    stage.github.pull_request("change", BEFORE)  # reverts the change, which the comment must show
    green(stage, stage.github.on_pull_request(number))
    assert "exit code 0" in comment(stage, number)


def text_that_a_comment_omits_is_in_the_summary(stage):
    people = [f"person{number}@acme.example" for number in range(2000)]
    organization(stage, ORGANIZATION["users"] + [{"email": email, "role": "viewer"} for email in people])
    many = "".join(f'"{email}" = {{ role = "Member" }}\n' for email in people)
    number = stage.github.pull_request("many", {"users.toml": ROOT + many + "[guardrails]\nmax_changes = 5000\n"})
    run = green(stage, stage.github.on_pull_request(number))
    body = comment(stage, number)

    def shown(text):
        return sum(email in text for email in people)

    assert "upload aborted" not in run.log
    assert shown(run.jobs["plan"].summary) == shown(run.jobs["check"].summary) == len(people)
    assert 0 < shown(body) < len(people) and len(body) <= 65536
    address = f"https://github.com/acme/people/actions/runs/{run.number}"
    in_order(body, f"**This report was cut to fit into a comment.** [The summary of the run]({address})", "<!-- rolecall:plan -->",
             "not shown here**", f"[summary and log of the run]({address})")
    stage.github.pull_request("many", {"users.toml": ROOT} | PROMOTED)
    green(stage, stage.github.on_pull_request(number))
    assert "This is cut" not in comment(stage, number)


def a_pull_request_that_changes_nothing_gets_no_comment(stage):
    number = stage.github.pull_request("readme", {"README.md": "Who is who.\n"})
    green(stage, stage.github.on_pull_request(number))
    assert stage.github.comments(number) == []


def the_first_pull_request_may_add_the_files(stage):
    stage.github.git("checkout", "--quiet", "main")
    stage.github.git("rm", "--quiet", "-r", "users.toml", "teams")
    stage.github.git("commit", "--quiet", "--message", "nobody")
    number = stage.github.pull_request("first", BEFORE | PROMOTED)
    green(stage, stage.github.on_pull_request(number))
    in_order(comment(stage, number), "<!-- rolecall:plan -->", "which does not have these files", "**this change**")


def a_fork_is_checked_without_a_token(stage):
    number = stage.github.pull_request("fork", PROMOTED, fork=True, author="mallory")
    run = green(stage, stage.github.on_pull_request(number))
    assert (run.jobs["check"].result, run.jobs["plan"].result) == ("success", "skipped")
    in_order(run.jobs["check"].summary, "<!-- rolecall:validate -->", "<!-- rolecall:compare -->")
    assert stage.github.comments(number) == [] and run.jobs["check"].trusted == []


def a_fork_that_cannot_write_a_comment_passes_with_a_warning(stage):
    """Runs `check` with `comment: true`, which docs/ci.md suggests if pull requests get no token."""
    stage.github.changed_inputs = {"comment": "true"}
    warning = "::warning title=rolecall::The job's token has no permission to write the comment. See the report in the summary of this run."
    for branch, author, fork in [("fork", "mallory", True), ("dependabot/actions", "dependabot[bot]", False)]:
        number = stage.github.pull_request(branch, PROMOTED, fork=fork, author=author)
        run = green(stage, stage.github.on_pull_request(number))
        assert warning in run.log and "(HTTP 403)" in run.log and stage.github.comments(number) == []
        in_order(run.jobs["check"].summary, "<!-- rolecall:validate -->", "<!-- rolecall:compare -->")
    # An existing comment can't be marked as outdated either, but broken files still fail the job.
    with stage.github.world() as world:
        body = "<!-- rolecall comment users.toml -->\nold\n"
        world["comments"].append({"id": 1, "on": number, "user": {"login": "github-actions[bot]"}, "body": body})
    assert run.log.count(warning) == 1
    assert green(stage, stage.github.on_pull_request(number)).log.count(warning) == 3
    stage.github.pull_request(branch, BROKEN, author=author)
    assert warning in red(stage, stage.github.on_pull_request(number)).log and stage.github.comments(number) == [body]


def a_locked_conversation_does_not_fail_the_job(stage):
    number = stage.github.pull_request("change", PROMOTED)
    with stage.github.world() as world:
        world["locked"] = [number]
    run = green(stage, stage.github.on_pull_request(number))
    assert "has no permission to write the comment" in run.jobs["plan"].log and stage.github.comments(number) == []


def dependabot_is_checked_without_a_token(stage):
    number = stage.github.pull_request("dependabot/actions", {"README.md": "newer\n"}, author="dependabot[bot]")
    run = green(stage, stage.github.on_pull_request(number))
    assert run.jobs["plan"].result == "skipped"


def a_blocked_plan_fails_and_saves_no_plan(stage):
    number = stage.github.pull_request("refused", REFUSED)
    run = red(stage, stage.github.on_pull_request(number))
    assert "exit code 3" in run.jobs["plan"].log
    in_order(comment(stage, number), "Blocked by keep_at_least", "**this change**", "exit code 3")
    assert [kept["name"] for kept in stage.github.read()["artifacts"]] == ["rolecall-page-plan-users.toml"]


def broken_files_fail_before_the_token_is_used(stage):
    number = stage.github.pull_request("broken", BROKEN)
    run = red(stage, stage.github.on_pull_request(number))
    assert (run.jobs["check"].result, run.jobs["plan"].result) == ("failure", "skipped")
    assert "rolle" in run.jobs["check"].summary and run.jobs["check"].trusted == []
    in_order(comment(stage, number), "<!-- rolecall:validate -->", "rolle", "exit code 1")


OUTDATED = "> **Outdated.** [A newer run]("


def planned_and_pushed_to(stage, files):
    """Opens a pull request, waits for the plan in its comment, and pushes to it. Returns its number and new commit."""
    number = stage.github.pull_request("change", PROMOTED)
    green(stage, stage.github.on_pull_request(number))
    assert OUTDATED not in comment(stage, number) and "bo@acme.example" in comment(stage, number)
    stage.github.pull_request("change", files)
    return number, stage.github.pull(number)["head"]["sha"]


def a_push_that_breaks_the_files_removes_the_plan_from_the_comment(stage):
    number, commit = planned_and_pushed_to(stage, BROKEN)
    red(stage, stage.github.on_pull_request(number))
    in_order(comment(stage, number), "<!-- rolecall:validate -->", "rolle", f"commit {commit[:7]}, exit code 1")
    assert "<!-- rolecall:plan -->" not in comment(stage, number)
    stage.github.pull_request("change", PROMOTED)
    green(stage, stage.github.on_pull_request(number))
    assert OUTDATED not in comment(stage, number) and "<!-- rolecall:plan -->" in comment(stage, number)


def a_failed_build_removes_the_plan_from_the_comment(stage):
    number, commit = planned_and_pushed_to(stage, {"README.md": "Who is who.\n"})
    stage.github.cache.clear()
    stage.github.cargo_fails = True
    red(stage, stage.github.on_pull_request(number))
    in_order(comment(stage, number), "ended without a report", f"commit {commit[:7]}, exit code unknown")
    assert "<!-- rolecall:plan -->" not in comment(stage, number)


def a_run_without_a_report_marks_the_comment_as_outdated(stage):
    """Covers a failed checkout, a rejection by the reviewers, a canceled run, and a report that can't be written."""
    number, commit = planned_and_pushed_to(stage, {"README.md": "Who is who.\n"})
    stage.github.breaks = ("actions/checkout",)
    red(stage, stage.github.on_pull_request(number))
    in_order(comment(stage, number), "<!-- rolecall comment users.toml -->\n> [!WARNING]\n" + OUTDATED, commit[:7], "<!-- rolecall:plan -->")
    stage.github.breaks = ()
    stage.github.rejects.add("rolecall-plan")
    red(stage, stage.github.on_pull_request(number))
    for _ in range(2):
        in_order(comment(stage, number), "<!-- rolecall comment users.toml -->\n> [!WARNING]\n" + OUTDATED, commit[:7], "<!-- rolecall:plan -->")
        assert comment(stage, number).count("Outdated") == 1
        red(stage, stage.github.on_pull_request(number))
    stage.github.rejects.clear()
    stage.github.cancels = {"Run rolecall"}
    seen(stage, stage.github.on_pull_request(number))
    in_order(comment(stage, number), "ended without a report", commit[:7], "exit code unknown")
    stage.github.cancels = {"Comment on the pull request"}
    seen(stage, stage.github.on_pull_request(number))
    assert OUTDATED in comment(stage, number)


def a_run_of_an_older_commit_does_not_change_the_comment(stage):
    number = stage.github.pull_request("change", PROMOTED)
    old = green(stage, stage.github.on_pull_request(number))
    stage.github.pull_request("change", {"teams/emea.toml": PROMOTED["teams/emea.toml"].replace("Member", "Admin")})
    green(stage, stage.github.on_pull_request(number))
    newest = comment(stage, number)
    green(stage, stage.github.run_again(old))
    assert comment(stage, number) == newest and "Admin" in newest


def broken_files_can_be_repaired(stage):
    stage.github.commit("main", BROKEN)
    number = stage.github.pull_request("repair", PROMOTED)
    run = green(stage, stage.github.on_pull_request(number))
    assert "Causes are unknown, because" in run.jobs["plan"].log and "Causes are unknown" in comment(stage, number)


def a_missing_token_fails_the_plan_job(stage):
    stage.github.environments["rolecall-plan"] = ({}, False)
    number = stage.github.pull_request("change", PROMOTED)
    red(stage, stage.github.on_pull_request(number))
    in_order(comment(stage, number), "no_token", "exit code 1")


def a_comment_that_cannot_be_written_fails_the_job(stage):
    number = stage.github.pull_request("change", PROMOTED)
    with stage.github.world() as world:
        world["repository"] = "renamed/people"
    red(stage, stage.github.on_pull_request(number))


def the_merge_queue_plans_again_without_a_comment(stage):
    number = stage.github.pull_request("change", PROMOTED)
    run, _ = stage.github.on_merge_group(number)
    green(stage, run)
    assert run.jobs["plan"].result == "success" and stage.github.comments(number) == []


def rolecall_is_built_once_and_then_taken_from_the_cache(stage):
    number = stage.github.pull_request("change", PROMOTED)
    run = green(stage, stage.github.on_pull_request(number))
    assert "── Build rolecall\n" in run.jobs["check"].log and "── Build rolecall\n" not in run.jobs["plan"].log


def a_label_marks_exactly_the_pull_requests_that_change_a_guarded_role(stage):
    """The pull request adds an Admin, breaks the files, changes no Admin, and is blocked. Finally, the label doesn't exist."""
    stage.github.changed_inputs = {"label": "access: admin & owner"}
    with stage.github.world() as world:
        world["labels"] = ["access: admin & owner"]
    promoted = {"teams/emea.toml": PROMOTED["teams/emea.toml"].replace('"Member" }', '"Admin" }', 1)}
    number = stage.github.pull_request("change", promoted)

    def labels(run):
        seen(stage, run)
        return stage.github.pull(number).get("labels", [])

    assert labels(stage.github.on_pull_request(number)) == ["access: admin & owner"]
    stage.github.pull_request("change", BROKEN)
    assert labels(stage.github.on_pull_request(number)) == ["access: admin & owner"]
    stage.github.pull_request("change", PROMOTED)
    for _ in range(2):
        assert labels(stage.github.on_pull_request(number)) == []
    stage.github.pull_request("change", REFUSED)
    assert labels(red(stage, stage.github.on_pull_request(number))) == ["access: admin & owner"]
    # Another Admin's drift isn't a change made by the pull request.
    stage.pylon.by_hand("cy@acme.example", role="admin")
    stage.github.pull_request("change", BEFORE | PROMOTED)
    run = green(stage, stage.github.on_pull_request(number))
    assert labels(run) == [] and "cy@acme.example" in comment(stage, number)
    stage.github.pull_request("change", promoted)
    assert labels(stage.github.on_pull_request(number)) == ["access: admin & owner"]
    stage.github.changed_inputs = {"label": "unknown"}
    stage.github.pull_request("change", REFUSED | promoted)
    run = seen(stage, stage.github.on_pull_request(number))
    assert '::warning title=rolecall::The job\'s token has no permission to change the label "unknown". Create the label' in run.log


def a_public_repository_gets_a_warning(stage):
    number = stage.github.pull_request("change", PROMOTED)
    warning = "::warning title=rolecall::This repository is public, so anyone can read the names and addresses in its files, comments, logs, and artifacts. Make it private."
    for visibility, is_warned in [("public", True), ("internal", False)]:
        stage.github.visibility = visibility
        run = green(stage, stage.github.on_pull_request(number))
        assert {job.log.count(warning) for job in run.jobs.values()} == {int(is_warned)}, run.log


# ── the binary of a release ─────────────────────────────────────────────────────────────────────────────────────────────

VERSION = tomllib.loads((PROJECT / "Cargo.toml").read_text())["package"]["version"]
TARGET = "x86_64-unknown-linux-musl"
packing = threading.Lock()


@functools.cache
def packed():
    """Builds a release's archive and checksums from the local binary, and returns their folder."""
    folder = Path(tempfile.mkdtemp(prefix="rolecall-packed-"))
    atexit.register(shutil.rmtree, folder)
    subprocess.run([PROJECT / ".ci/package", "one", TARGET, BINARY, folder], check=True, capture_output=True)
    return folder


def publish(stage, commit=OUR_COMMIT, repository=OUR_REPOSITORY):
    """Publishes a release of our action the way release.yml does, and returns its archive."""
    with packing:
        files = [Path(shutil.copy(file, stage.folder)) for file in packed().iterdir()]
    [archive] = [file for file in files if file.name.endswith(".tar.gz")]
    signed = {"repo": repository, "signer_workflow": f"{repository}/.github/workflows/release.yml", "source_ref": f"refs/tags/v{VERSION}",
              "source_digest": commit}
    with stage.github.world() as world:
        world["releases"] = {repository: {f"v{VERSION}": {"commit": commit, "files": [str(file) for file in files]}}}
        world["attestations"] = {hashlib.sha256(archive.read_bytes()).hexdigest(): signed}
    return archive


def downloaded(run):
    """Returns True if a run or job used a release binary. Otherwise, it must have built one."""
    found = "is verified: it was made from commit" in run.log
    assert found != ("── Build rolecall\n" in run.log), run.log
    return found


def installed(stage):
    """Runs a job that installs rolecall through the action and then runs it."""
    return own_job(stage, [{"uses": OUR_ACTION, "with": {"command": "install"}}, {"run": "rolecall --version"}], {})


def a_verified_binary_of_a_release_is_used_without_a_build_or_a_cache(stage):
    publish(stage)
    stage.github.cargo_fails = True
    number = stage.github.pull_request("change", PROMOTED)
    assert downloaded(green(stage, stage.github.on_pull_request(number)))
    assert downloaded(green(stage, stage.github.push(stage.github.merge(number)))) and stage.role("bo") == "member"
    assert stage.github.cache == {}


def a_release_of_a_fork_is_verified_with_the_workflow_of_the_fork(stage):
    stage.github.action_repository = "acme/rolecall"
    publish(stage, repository="acme/rolecall")
    job = installed(stage)
    assert downloaded(job) and job.result == "success"


def an_action_that_is_named_by_its_tag_uses_the_release_of_that_tag(stage):
    publish(stage)
    stage.github.action_ref = f"v{VERSION}"
    job = installed(stage)
    assert downloaded(job) and job.result == "success"


def without_a_release_for_the_commit_and_the_machine_the_log_says_why_rolecall_is_built(stage):
    def reason(**changed):
        """Runs a job with these attributes of GitHub, and returns the reason for building that it logs."""
        for name, value in changed.items():
            setattr(stage.github, name, value)
        job = installed(stage)
        assert job.result == "success" and not downloaded(job)
        return job.log.split("rolecall is built from its sources: ")[1].splitlines()[0]

    stage.github.cache = Forgetful()
    assert reason() == f"{OUR_REPOSITORY} has no tag v{VERSION}, or this job cannot read it."
    archive = publish(stage)
    assert reason(action_ref="1" * 40) == f"the release v{VERSION} is of commit 0000000, and this action is at 1111111."
    assert reason(action_ref="nowhere") == "cannot find the commit of nowhere."
    assert reason(action_ref=OUR_COMMIT, architecture="ARM64") == f"the release v{VERSION} has no {archive.name.replace('x86_64', 'aarch64')}."
    assert reason(architecture="RISCV") == "releases have no binary for Linux RISCV."
    assert reason(architecture="X64", action_repository="") == "this action is not from a repository on GitHub."
    assert reason(action_repository=OUR_REPOSITORY, server="https://github.acme.example") == (
        "gh can verify binaries only on github.com, not on github.acme.example.")
    stage.github.server = "https://github.com"
    with stage.github.world() as world:
        world["gh_knows_commits"] = False
    assert reason(action_ref=OUR_COMMIT) == "this version of gh cannot verify the commit of a binary. Update gh."
    with stage.github.world() as world:
        world["gh_knows_commits"] = True
        world["releases"][OUR_REPOSITORY][f"v{VERSION}"]["files"] = None  # just a tag or a draft release
    assert reason(action_ref=OUR_COMMIT) == f"cannot download the release v{VERSION} of {OUR_REPOSITORY}."


class Forgetful(dict):
    """A cache that loses everything stored in it."""

    def get(self, key, default=None):
        return default


def a_binary_that_cannot_be_verified_is_an_error_and_is_not_replaced_by_a_build(stage):
    """Covers a bad archive or checksum, a missing attestation or one from another workflow, and a release tag that was moved."""
    number = stage.github.pull_request("change", PROMOTED)

    def refused(change):
        archive = publish(stage)
        with stage.github.world() as world:
            change(archive, world)
        job = installed(stage)
        assert job.result == "failure" and "rolecall is built from its sources" not in job.log
        assert "── Build rolecall\n" not in job.log and "── rolecall --version\n" not in job.log
        return job.log

    def damaged(archive, _):
        archive.write_bytes(archive.read_bytes() + b"more")

    def unlisted(archive, _):
        (archive.parent / "SHA256SUMS").write_text(f"{'0' * 64}  other.tar.gz\n")

    def signed(**facts):
        def change(_, world):
            [digest] = world["attestations"]
            world["attestations"][digest] |= facts
        return change

    def moved(_, world):
        """Moves the tag of an older release to the action's commit, while the release keeps its files."""
        signed(source_digest="2" * 40)(_, world)

    for change in (damaged, unlisted):
        assert f"does not match SHA256SUMS of the release v{VERSION}." in refused(change)
    forged = [signed(signer_workflow="mallory/rolecall/.github/workflows/release.yml"), signed(source_ref="refs/heads/main"),
              lambda _, world: world["attestations"].clear()]
    for change in (moved, *forged):
        log = refused(change)
        assert f"::error title=rolecall::No valid attestation says that the release workflow of {OUR_REPOSITORY} made rolecall-" in log
        assert "from commit 0000000. rolecall was not run." in log
    run = red(stage, stage.github.on_pull_request(number))
    assert "── Run rolecall\n" not in run.log and run.jobs["plan"].result == "skipped"
    in_order(comment(stage, number), "ended without a report", "exit code unknown")


def alone(scene):
    """Marks a scene that measures time and therefore must not run concurrently with others."""
    scene.is_alone = True
    return scene


@alone
def a_pull_request_with_1000_people_gets_its_comment_within_15_seconds(stage):
    """Measures our action's steps, excluding the network and GitHub's own actions. The limit applies to CPU time, which other programs on
    the machine can't increase."""
    publish(stage)
    people = [f"person{number}@acme.example" for number in range(1000)]
    organization(stage, ORGANIZATION["users"] + [{"email": email, "role": "viewer"} for email in people])
    declared = "".join(f'"{email}" = {{ role = "Viewer" }}\n' for email in people)
    stage.github.commit("main", {"users.toml": ROOT + declared})
    number = stage.github.pull_request("change", {"users.toml": ROOT + declared.replace("Viewer", "Member", 10)})
    run = green(stage, stage.github.on_pull_request(number))
    assert downloaded(run) and "person9@acme.example" in comment(stage, number)
    stage.figure = f"{stage.github.seconds:.1f} s from the first step to the comment, {stage.github.processor_seconds:.1f} s of processor time"
    assert stage.github.processor_seconds < 15, stage.figure


def organization(stage, users):
    """Replaces the people in Pylon."""
    stage.pylon.stop()
    stage.pylon = Pylon(stage.folder, BINARY, ORGANIZATION | {"users": users})
    stage.github.job_environment["PYLON_BASE_URL"] = stage.pylon.url


# ── a job of your own ───────────────────────────────────────────────────────────────────────────────────────────────────


def own_job(stage, steps, permissions, checkout=None):
    """Runs a custom job on main."""
    sha = stage.github.git("rev-parse", "main")
    with stage.github.world() as world:
        number = 100 + len(world["runs"])
        world["runs"].append({"id": number, "path": ".github/workflows/own.yml", "event": "push", "head_branch": "main", "head_sha": sha,
                              "head_repository": {"full_name": world["repository"]}})
    contexts = {"github": {"event_name": "push", "sha": sha, "ref": "refs/heads/main", "run_id": number,
                           "run_attempt": 1, "job": "own", "event": {}}, "runner": {}, "vars": {}, "needs": {}, "env": {}, "secrets": {}}
    if checkout is None:
        checkout = [{}]
    checkout = [{"uses": "actions/checkout@" + "1" * 40, "with": {"persist-credentials": False} | inputs} for inputs in checkout]
    job = Runner(stage.github, contexts, permissions, {}).job({"steps": [*checkout, *steps]})
    stage.logs.append(job.log)
    return job


def compared(stage, config, *checkout, before=()):
    """Compares the files with those of the previous commit, and returns the job's result and summary."""
    compare = {"uses": OUR_ACTION, "with": {"command": "validate", "config": config, "compare-with": "HEAD^1"}}
    job = own_job(stage, [*before, compare], {}, list(checkout))
    return job.result, job.summary + job.log


CY = '[users]\n"cy@acme.example" = { role = "ROLE" }\n'


def a_config_in_a_submodule_is_compared_with_its_previous_commit(stage):
    for role in ("Viewer", "Member"):
        stage.github.submodule("people", {"users.toml": CY.replace("ROLE", role)})
    for depth in ("2", "0"):
        result, text = compared(stage, "people/users.toml", {"submodules": True, "fetch-depth": depth})
        assert result == "success" and 'role  "Viewer" → "Member"' in text and "1 declared differently" in text, text
    # Only one commit of the submodule is checked out, so the job must fetch the other one, or fail if it can't.
    lose = ("cd people && before=$(git rev-parse HEAD^1) && git rev-parse HEAD > $(git rev-parse --git-path shallow) && "
            "git reflog expire --expire=now --all && git gc --quiet --prune=now && ! git cat-file -e $before")
    result, text = compared(stage, "people/users.toml", {"submodules": True, "fetch-depth": 2}, before=[{"run": lose}])
    assert result == "success" and 'role  "Viewer" → "Member"' in text, text
    lose += " && git remote set-url origin file:///nowhere"
    result, text = compared(stage, "people/users.toml", {"submodules": True, "fetch-depth": 2}, before=[{"run": lose}])
    assert result == "failure" and "not found in the submodule people" in text, text


def team_files_in_a_submodule_are_compared_too(stage):
    root = {"users.toml": 'include = ["people/*.toml"]\n'}
    stage.github.submodule("people", {"cy.toml": CY.replace("ROLE", "Viewer")})
    stage.github.commit("main", root)
    stage.github.submodule("people", {"cy.toml": CY.replace("ROLE", "Member")})
    result, text = compared(stage, "users.toml", {"submodules": True, "fetch-depth": 2})
    assert result == "success" and 'role  "Viewer" → "Member"' in text, text
    # The submodule turns into a folder. It isn't checked out, so its previous contents are unknown.
    stage.github.git("rm", "--quiet", "people")
    stage.github.commit("main", {"people/cy.toml": CY.replace("ROLE", "Admin")})
    result, text = compared(stage, "users.toml", {"submodules": True, "fetch-depth": 2})
    assert result == "failure" and "these submodules are not checked out: people" in text, text


def a_checkout_into_a_path_is_compared_with_its_own_history(stage):
    stage.github.commit("main", PROMOTED)
    for checkout in ([{"path": "here", "fetch-depth": 2}], [{}, {"path": "here", "fetch-depth": 2}]):
        result, text = compared(stage, "here/users.toml", *checkout)
        assert result == "success" and 'role  "Viewer" → "Member"' in text and "counts as new" not in text, text
    result, text = compared(stage, "here/users.toml", {"fetch-depth": 2}, {"path": "here"})
    assert result == "failure" and "Commit HEAD^1 not found in" in text, text


def files_that_are_not_in_git_are_not_compared(stage):
    stage.github.commit("main", {"made/.gitignore": "*.toml\n"})
    for config, made in [("made/users.toml", "made/users.toml"), ("users.toml", "teams/made.toml")]:
        make = {"run": f"mkdir -p made && echo '[users]' > {made}"}
        result, text = compared(stage, config, {"fetch-depth": 2}, before=[make])
        assert result == "failure" and "git does not track" in text and made in text, text
    elsewhere = {"run": 'mkdir -p ../elsewhere && echo "[users]" > ../elsewhere/users.toml'}
    result, text = compared(stage, "../elsewhere/users.toml", {"fetch-depth": 2}, before=[elsewhere])
    assert result == "failure" and "is not in a git checkout" in text, text


def an_added_config_is_reported_as_new(stage):
    stage.github.git("mv", "users.toml", "people.toml")
    stage.github.commit("main", {})
    result, text = compared(stage, "people.toml", {"fetch-depth": 2})
    assert result == "success" and "**people.toml does not exist at " in text and ", so everything that it declares counts as new.**" in text, text


def an_apply_of_a_submodule_checks_the_newest_commit_of_the_outer_repository(stage):
    def apply(*before):
        inputs = {"command": "apply", "token": TOKEN, "config": "people/users.toml"}
        return own_job(stage, [*before, {"uses": OUR_ACTION, "with": inputs}], {}, [{"submodules": True}])

    stage.github.submodule("people", {"users.toml": CY.replace("ROLE", "Admin")})
    job = apply()
    assert job.result == "success" and stage.role("cy") == "admin", job.log
    stage.pylon.by_hand("cy@acme.example", role="viewer")
    old = stage.github.git("rev-parse", "main")
    stage.github.submodule("people", {"users.toml": CY.replace("ROLE", "Viewer")})
    job = own_job(stage, [{"uses": OUR_ACTION, "with": {"command": "apply", "token": TOKEN, "config": "people/users.toml"}}], {},
                  [{"submodules": True, "ref": old}])
    assert job.result == "failure" and "It declares other files" in job.log and stage.role("cy") == "viewer", job.log


def later_steps_have_rolecall_on_the_path_and_arguments_are_passed_on(stage):
    def job(*steps):
        return own_job(stage, steps, {})

    own = job({"uses": OUR_ACTION, "with": {"command": "install"}}, {"run": "rolecall --version"})
    assert own.result == "success" and "\nrolecall 0." in own.log, own.log
    stage.github.commit("main", PROMOTED)
    inputs = {"command": "apply", "token": TOKEN, "args": "--max-changes=0\n\n--quiet\n"}
    assert "max_changes" in job({"uses": OUR_ACTION, "with": inputs}).log and stage.role("bo") == "viewer"
    assert job({"uses": OUR_ACTION, "with": {"command": "aply"}}).result == "failure"


def an_issue_is_open_exactly_while_the_step_fails(stage):
    def plan(**inputs):
        inputs = {"command": "plan", "token": TOKEN, "issue": "Not in sync"} | {key.replace("_", "-"): value for key, value in inputs.items()}
        return own_job(stage, [{"uses": OUR_ACTION, "with": inputs}], {"issues": "write"}).result

    assert plan(compare_with="0" * 40) == "failure"  # rolecall itself exits with 0
    [issue] = stage.github.issues("open")
    in_order(issue["body"], "exit code 0", "the step failed")
    assert plan(compare_with="0" * 40) == "failure" and len(stage.github.issues("open")) == 1
    stage.github.commit("main", PROMOTED)  # there are changes, but the inputs don't ask for a failure
    assert plan() == "success" and stage.github.issues("open") == []
    assert plan() == "success" and stage.github.issues("open") == []
    assert plan(detailed_exitcode=True) == "failure" and len(stage.github.issues("open")) == 1


def two_configs_in_one_job_have_separate_journals(stage):
    people = {"bo": "Member", "cy": "Viewer"}
    stage.github.commit("main", {f"{name}/users.toml": f'[users]\n"{name}@acme.example" = {{ role = "{role}" }}\n' for name, role in people.items()})
    apply = [{"uses": OUR_ACTION, "with": {"command": "apply", "token": TOKEN, "config": f"{name}/users.toml"}} for name in people]
    job = own_job(stage, apply, {})
    assert job.result == "success", job.log
    kept = {kept["name"]: Path(kept["file"]).read_text() for kept in stage.github.read()["artifacts"]}
    for name in people:
        [journal] = [text for artifact, text in kept.items() if artifact.startswith(f"rolecall-journal-own-{name}-users.toml-")]
        assert f"{name}@acme.example" in journal


def an_apply_that_does_not_start_uploads_no_older_journal(stage):
    stage.github.commit("main", PROMOTED)
    inputs = {"command": "apply", "token": TOKEN}
    reviewed = {"artifact": "rolecall-plan", "reviewed-in": "rolecall-plan.yml", "config": "teams/emea.toml"}
    steps = [{"uses": OUR_ACTION, "with": each} for each in (inputs, inputs | reviewed)]
    job = own_job(stage, steps, {"actions": "read", "pull-requests": "read"})
    assert job.result == "failure" and "Nothing was applied" in job.log
    kept = [kept["name"] for kept in stage.github.read()["artifacts"]]
    assert kept == ["rolecall-applied-users.toml", "rolecall-journal-own-users.toml-1"]


# ── the merge ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def a_reviewed_plan_is_applied_once_on_merge(stage):
    commit = stage.reviewed(PROMOTED)
    with stage.github.world() as world:
        world["is_slow"] = True
    run = green(stage, stage.github.on_push(commit))
    assert (run.jobs["plan"].result, run.jobs["agree"].result, run.jobs["apply"].result) == ("skipped", "skipped", "success")
    assert "Applying the plan of pull request #41" in run.log
    assert stage.role("bo") == "member" and stage.pylon.patches() == 1
    assert any(kept["name"] == "rolecall-journal-apply-users.toml-1" for kept in stage.github.read()["artifacts"])
    green(stage, stage.github.on_push(commit))
    assert stage.pylon.patches() == 1


def the_comment_gets_the_result_of_the_apply(stage):
    commit = stage.reviewed(PROMOTED)
    green(stage, stage.github.on_push(commit))
    body = comment(stage, 41)
    in_order(body, "<!-- rolecall comment users.toml -->", "<!-- rolecall:apply -->", "### 1 change applied", "| applied |", "exit code 0",
             "the journal is an artifact of the run", "<details><summary>The reviewed plan</summary>", "### 1 person changes", "</details>")
    green(stage, stage.github.on_push(commit))
    assert comment(stage, 41).count("The reviewed plan") == 1


def a_failed_apply_is_reported_in_the_pull_request_that_it_came_from(stage):
    commit = stage.reviewed(PROMOTED)
    stage.pylon.by_hand("cy@acme.example", role="admin")  # makes the new plan differ from the reviewed one
    red(stage, stage.github.on_push(commit))
    in_order(comment(stage, 41), "<!-- rolecall comment users.toml -->", "the apply would make changes that were not reviewed", "exit code 5",
             "<details><summary>The reviewed plan</summary>")


def the_plan_of_the_merge_queue_is_applied(stage):
    number = stage.github.pull_request("change", PROMOTED)
    run, commit = stage.github.on_merge_group(number)
    green(stage, run)
    stage.github.git("branch", "--force", "main", commit)  # GitHub pushes the very commit that the queue tested
    run = green(stage, stage.github.on_push(commit))
    assert "Applying the plan of the merge queue" in run.log and stage.role("bo") == "member"


def rerunning_an_old_apply_does_not_undo_a_newer_commit(stage):
    """The first apply hits a network failure, its revert is applied, and then the first apply is rerun."""
    first = stage.reviewed({"teams/emea.toml": BEFORE["teams/emea.toml"].replace("Viewer", "Admin")})
    stage.github.job_environment["PYLON_BASE_URL"] = "http://127.0.0.1:9"
    failed = red(stage, stage.github.push(first))
    stage.github.job_environment["PYLON_BASE_URL"] = stage.pylon.url
    green(stage, stage.github.push(stage.reviewed(BEFORE, branch="revert")))
    stage.github.git("branch", "a/refs/heads/main", first)  # `git ls-remote` takes this for main as well
    stage.github.git("tag", "main", first)
    again = red(stage, stage.github.run_again(failed))
    stage.github.git("tag", "--delete", "main")
    tip = stage.github.git("rev-parse", "main")[:7]
    assert f"main is now at {tip}. It declares other files than {first[:7]}, so nothing was applied" in again.log
    assert "exit code 5" in again.log and "main is now at" in again.jobs["apply"].summary
    assert stage.role("bo") == "viewer" and stage.pylon.patches() == 0
    # The schedule continues with the files applied last, which are those of the revert.
    green(stage, stage.github.on_schedule())
    # Once the change is made again, the first run declares the same as main, so it may proceed.
    stage.reviewed({"teams/emea.toml": BEFORE["teams/emea.toml"].replace("Viewer", "Admin")}, branch="change-again")
    stage.github.commit("main", {"README.md": "Who is who.\n"})
    green(stage, stage.github.run_again(failed))
    assert stage.role("bo") == "admin"


def rerunning_a_manual_or_scheduled_apply_does_not_undo_a_newer_commit(stage):
    applied(stage)
    stage.github.commit("main", {"teams/emea.toml": BEFORE["teams/emea.toml"].replace("Viewer", "Admin")})
    by_hand = green(stage, stage.github.by_hand())
    scheduled = green(stage, stage.github.on_schedule())
    green(stage, stage.github.push(stage.reviewed(BEFORE, branch="revert")))
    assert "It declares other files" in red(stage, stage.github.run_again(by_hand)).log
    assert stage.role("bo") == "viewer"
    green(stage, stage.github.run_again(scheduled))  # uses the current main
    assert stage.role("bo") == "viewer" and stage.github.issues("open") == []
    # Main changes before the reviewers approve, so the outdated files aren't applied.
    stage.github.commit("main", PROMOTED)
    stage.github.while_waiting["rolecall-by-hand"] = lambda: stage.github.commit("main", BEFORE)
    assert "It declares other files" in red(stage, stage.github.by_hand()).log
    assert stage.role("bo") == "viewer"


def an_apply_refuses_if_the_newest_files_are_broken_deleted_or_unreachable(stage):
    commit = stage.reviewed(PROMOTED)
    for files, why in [(BROKEN, "It declares other files"), ({"users.toml": None}, "It declares other files")]:
        stage.github.commit("main", files)
        assert why in red(stage, stage.github.on_push(commit)).log
    stage.github.git("checkout", "--quiet", "--detach")
    stage.github.git("branch", "--move", "main", "trunk")
    assert "refs/heads/main no longer exists" in red(stage, stage.github.on_push(commit)).log
    assert stage.role("bo") == "viewer"


def a_direct_push_is_not_applied(stage):
    run = red(stage, stage.github.on_push(stage.github.commit("main", PROMOTED)))
    assert "(from no pull request). Nothing was applied. Run this workflow by hand" in run.log
    assert stage.role("bo") == "viewer"


def a_forks_pull_request_is_not_applied(stage):
    number = stage.github.pull_request("fork", PROMOTED, fork=True, author="mallory")
    green(stage, stage.github.on_pull_request(number))
    with stage.github.world() as world:  # the fork's workflow uploads a forged artifact
        world["artifacts"].append({"id": 1, "name": "rolecall-plan", "run": world["runs"][-1]["id"], "expired": False, "file": "/dev/null"})
    run = red(stage, stage.github.on_push(stage.github.merge(number)))
    assert "(from pull request #41). Nothing was applied" in run.log and stage.role("bo") == "viewer"


def an_expired_plan_is_not_applied(stage):
    commit = stage.reviewed(PROMOTED)
    with stage.github.world() as world:
        for kept in world["artifacts"]:
            kept["expired"] = True
    run = red(stage, stage.github.on_push(commit))
    assert "(from pull request #41). Nothing was applied" in run.log and stage.role("bo") == "viewer"


def a_blocked_plan_that_is_merged_anyway_is_not_applied(stage):
    number = stage.github.pull_request("refused", REFUSED)
    red(stage, stage.github.on_pull_request(number))
    red(stage, stage.github.on_push(stage.github.merge(number)))
    assert stage.role("ben") == "admin"


def changes_that_were_not_reviewed_are_not_applied(stage):
    commit = stage.reviewed(PROMOTED)
    stage.pylon.by_hand("cy@acme.example", role="admin")  # not undone by any reviewed plan
    run = red(stage, stage.github.on_push(commit))
    assert "exit code 5" in run.log and stage.role("bo") == "viewer" and stage.role("cy") == "admin"


def a_plan_of_other_files_is_not_applied(stage):
    first = stage.github.pull_request("change", PROMOTED)
    green(stage, stage.github.on_pull_request(first))
    stage.github.commit("main", {"users.toml": ROOT + "\n[guardrails]\nkeep_active = 0\n"})
    run = red(stage, stage.github.on_push(stage.github.merge(first)))
    assert "exit code 5" in run.log and stage.role("bo") == "viewer"


def a_forged_plan_can_only_refuse(stage):
    commit = stage.reviewed(PROMOTED)
    for kept in stage.github.read()["artifacts"]:
        file = Path(kept["file"])
        file.write_text(file.read_text().replace(stage.pylon.role_id("member"), stage.pylon.role_id("admin")))
    red(stage, stage.github.on_push(commit))
    assert stage.role("bo") == "viewer"


def a_manual_run_plans_waits_for_review_and_applies(stage):
    stage.github.commit("main", PROMOTED)
    run = green(stage, stage.github.by_hand())
    assert [job.result for job in run.jobs.values()] == ["success"] * 3
    assert "Applying the plan of this run" in run.log and stage.role("bo") == "member"


def a_manual_run_that_reviewers_reject_changes_nothing(stage):
    stage.github.commit("main", PROMOTED)
    stage.github.rejects.add("rolecall-by-hand")
    run = red(stage, stage.github.by_hand())
    assert run.jobs["apply"].result == "skipped" and stage.role("bo") == "viewer"


def a_manual_plan_older_than_another_apply_is_not_applied(stage):
    stage.github.commit("main", PROMOTED)
    stage.github.overtaken.add("rolecall-by-hand")
    run = seen(stage, stage.github.by_hand())
    assert [job.result for job in run.jobs.values()] == ["success", "cancelled", "skipped"], run.log
    assert run.conclusion == "cancelled" and stage.role("bo") == "viewer"


def a_manual_run_on_another_branch_changes_nothing(stage):
    run = stage.github.by_hand(ref="refs/heads/change")
    assert seen(stage, run).conclusion == "skipped"


# ── the schedule ────────────────────────────────────────────────────────────────────────────────────────────────────────


def applied(stage):
    """Applies a change, because the schedule requires an earlier apply."""
    green(stage, stage.github.on_push(stage.reviewed(PROMOTED)))


def the_schedule_reverts_manual_changes_in_pylon(stage):
    applied(stage)
    stage.pylon.by_hand("bo@acme.example", role="admin")
    green(stage, stage.github.on_schedule())
    assert stage.role("bo") == "member" and stage.github.issues("open") == []


def the_schedule_can_only_report(stage):
    applied(stage)
    stage.github.variables["ROLECALL_SCHEDULE"] = "report"
    stage.pylon.by_hand("bo@acme.example", role="admin")
    red(stage, stage.github.on_schedule())
    red(stage, stage.github.on_schedule())
    assert stage.role("bo") == "admin"
    [issue] = stage.github.issues("open")
    in_order(issue["body"], "<!-- rolecall issue users.toml -->", "<!-- rolecall:plan -->", "bo@acme.example", "exit code 2")
    stage.pylon.by_hand("bo@acme.example", role="member")
    green(stage, stage.github.on_schedule())
    assert stage.github.issues("open") == [] and len(stage.github.issues("closed")) == 1


NOT_COVERED = "> Nothing was applied: the files are not those that the last successful apply covered."


def the_schedule_does_not_apply_files_whose_apply_failed(stage):
    applied(stage)
    red(stage, stage.github.on_push(stage.github.commit("main", BEFORE)))
    red(stage, stage.github.on_schedule())
    assert stage.role("bo") == "member"
    [issue] = stage.github.issues("open")
    in_order(issue["body"], NOT_COVERED, "<!-- rolecall:plan -->", "bo@acme.example", "`rolecall plan` of `users.toml`", "exit code 2")
    green(stage, stage.github.by_hand())
    green(stage, stage.github.on_schedule())
    assert stage.role("bo") == "viewer" and stage.github.issues("open") == []


def the_schedule_does_not_apply_a_commit_that_skips_ci(stage):
    applied(stage)
    admins = {"teams/emea.toml": BEFORE["teams/emea.toml"].replace("Viewer", "Admin").replace("Member", "Admin")}
    assert stage.github.push(stage.github.commit("main", admins, "two more [skip ci]")) is None
    red(stage, stage.github.on_schedule())
    assert stage.role("bo") == "member" and stage.role("cy") == "member"
    [issue] = stage.github.issues("open")
    in_order(issue["body"], NOT_COVERED, "bo@acme.example", "cy@acme.example", "exit code 2")
    green(stage, stage.github.by_hand())  # the reviewers approve it
    green(stage, stage.github.on_schedule())
    assert stage.role("bo") == "admin" and stage.github.issues("open") == []


def the_schedule_does_not_apply_a_file_that_the_apply_does_not_watch(stage):
    apac = {"more/apac.toml": '[users]\n"cy@acme.example" = { role = "Member" }\n'}
    emea = {"teams/emea.toml": '[users]\n"bo@acme.example" = { role = "Viewer" }\n'}
    root = {"users.toml": ROOT.replace('"teams/*.toml"', '"more/*.toml", "teams/*.toml"')}
    green(stage, stage.github.push(stage.reviewed(root | emea | apac)))
    green(stage, stage.github.on_schedule())
    admin = {"more/apac.toml": apac["more/apac.toml"].replace("Member", "Admin")}
    assert stage.github.push(stage.reviewed(admin, branch="more")) is None
    red(stage, stage.github.on_schedule())
    assert stage.role("cy") == "member"
    [issue] = stage.github.issues("open")
    in_order(issue["body"], NOT_COVERED, "cy@acme.example", "exit code 2")


def the_schedule_continues_after_a_commit_without_changed_declarations(stage):
    applied(stage)
    assert stage.github.push(stage.github.commit("main", {"README.md": "Who is who.\n"})) is None
    stage.pylon.by_hand("bo@acme.example", role="admin")
    green(stage, stage.github.on_schedule())
    assert stage.role("bo") == "member"


def the_schedule_reports_unapplied_files_even_without_changes(stage):
    applied(stage)
    stage.github.commit("main", {"users.toml": ROOT + "# nothing else\n"})
    red(stage, stage.github.on_schedule())
    [issue] = stage.github.issues("open")
    in_order(issue["body"], NOT_COVERED, "exit code 0, but the step failed")


def the_schedule_waits_for_the_first_apply(stage):
    stage.github.commit("main", PROMOTED)
    red(stage, stage.github.on_schedule())
    [issue] = stage.github.issues("open")
    assert "no successful apply of this branch is on record" in issue["body"] and stage.role("bo") == "viewer"


def the_schedule_trusts_only_the_record_of_an_apply_on_main(stage):
    commit = stage.github.commit("main", PROMOTED)
    own = own_job(stage, [{"uses": OUR_ACTION, "with": {"command": "apply", "token": TOKEN, "args": "--only=bo@acme.example"}}], {})
    assert own.result == "success" and stage.role("bo") == "member"
    assert "rolecall-applied-users.toml" not in [kept["name"] for kept in stage.github.read()["artifacts"]], "it covered one person"
    stage.pylon.by_hand("bo@acme.example", role="viewer")
    digest = subprocess.run([BINARY, "validate", "--format", "json", "--config", stage.github.origin / "users.toml"],
                            check=True, capture_output=True, text=True)
    record = stage.folder / "applied.txt"
    record.write_text(json.loads(digest.stdout)["digest"])
    forged = {"event": "push", "head_branch": "main", "head_sha": commit, "head_repository": {"full_name": "acme/people"}, "path": "own.yml"}
    others = [{"head_branch": "change"}, {"event": "pull_request"},
              {"head_repository": {"full_name": "mallory/people"}, "event": "pull_request"}]
    for number, other in enumerate(others):
        with stage.github.world() as world:
            world["runs"].append(forged | other | {"id": 10 + number})
            world["artifacts"].append({"id": number, "name": "rolecall-applied-users.toml", "run": 10 + number, "expired": False,
                                       "file": str(record), "created_at": "2099-01-01T00:00:00Z"})
    with stage.github.world() as world:
        world["runs"].append(forged | {"id": 20})
        world["artifacts"].append({"id": 20, "name": "rolecall-applied-users.toml", "run": 20, "expired": True,
                                   "file": str(record), "created_at": "2099-01-01T00:00:00Z"})
    red(stage, stage.github.on_schedule())
    [issue] = stage.github.issues("open")
    assert "no successful apply of this branch is on record" in issue["body"] and stage.role("bo") == "viewer"


def an_argument_can_have_its_value_on_the_next_line(stage):
    stage.github.commit("main", PROMOTED)
    inputs = {"command": "apply", "token": TOKEN, "args": "--rate\npatch=60\n--max-changes\n9\n"}
    report = own_job(stage, [{"uses": OUR_ACTION, "with": inputs | {"only-covered": True}}], {"actions": "read"})
    assert "1 to change" in report.log and "unexpected argument" not in report.log and stage.role("bo") == "viewer", report.log
    own = own_job(stage, [{"uses": OUR_ACTION, "with": inputs}], {})
    assert own.result == "success" and stage.role("bo") == "member", own.log
    assert "rolecall-applied-users.toml" in [kept["name"] for kept in stage.github.read()["artifacts"]]


def the_record_of_one_config_does_not_cover_another(stage):
    """If artifact names merely replaced the slash, both configs would have the same one."""
    def apply(config, **inputs):
        inputs = {"command": "apply", "token": TOKEN, "config": config} | inputs
        return own_job(stage, [{"uses": OUR_ACTION, "with": inputs}], {"actions": "read", "issues": "write"})

    text = '[users]\n"bo@acme.example" = { role = "Member" }\n'
    stage.github.commit("main", {"a/users.toml": text, "a-users.toml": text})
    assert apply("a/users.toml").result == "success" and stage.role("bo") == "member"
    stage.pylon.by_hand("bo@acme.example", role="viewer")
    covered = {"only-covered": "true", "issue": "Not in sync"}
    other = apply("a-users.toml", **covered)
    assert other.result == "failure" and "no successful apply" in stage.github.issues("open")[0]["body"], other.log
    assert stage.role("bo") == "viewer"
    assert apply("a/users.toml", **covered).result == "success" and stage.role("bo") == "member"


def the_schedule_renews_the_record_before_it_expires(stage):
    applied(stage)

    def records():
        return [kept["run"] for kept in stage.github.read()["artifacts"] if kept["name"] == "rolecall-applied-users.toml"]

    first = records()
    assert len(first) == 1
    green(stage, stage.github.on_schedule())
    assert records() == first
    with stage.github.world() as world:
        for kept in world["artifacts"]:
            kept["created_at"] = "2026-01-01T00:00:00Z"
    green(stage, stage.github.on_schedule())
    assert len(records()) == 2
    with stage.github.world() as world:  # delete the old record
        for kept in world["artifacts"]:
            kept["expired"] = kept["run"] == first[0]
    stage.pylon.by_hand("bo@acme.example", role="admin")
    green(stage, stage.github.on_schedule())
    assert stage.role("bo") == "member"


def a_failed_schedule_opens_an_issue_even_if_rolecall_cannot_be_built(stage):
    applied(stage)
    stage.github.cache.clear()
    stage.github.cargo_fails = True
    red(stage, stage.github.on_schedule())
    [issue] = stage.github.issues("open")
    in_order(issue["body"], "ended without a report", "exit code unknown")
    stage.github.cargo_fails = False
    stage.github.job_environment["PYLON_BASE_URL"] = "http://127.0.0.1:9"
    red(stage, stage.github.on_schedule())
    [issue] = stage.github.issues("open")
    in_order(issue["body"], "unreachable", "exit code 1")
    stage.github.job_environment["PYLON_BASE_URL"] = stage.pylon.url
    green(stage, stage.github.on_schedule())
    assert stage.github.issues("open") == []


# ── elsewhere ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def on_an_enterprise_server_all_requests_use_that_server_and_the_job_token(stage):
    stage.github.server = "https://github.acme.example"
    stage.github.job_environment["FAKE_PRIVATE"] = "1"  # makes git require the job's token
    number = stage.github.pull_request("change", PROMOTED)
    green(stage, stage.github.on_pull_request(number))
    assert "](https://github.acme.example/acme/people/actions/runs/" in comment(stage, number)
    first = stage.github.merge(number)
    run = green(stage, stage.github.push(first))
    assert stage.role("bo") == "member"
    green(stage, stage.github.push(stage.reviewed(BEFORE, branch="revert")))
    assert "It declares other files" in red(stage, stage.github.run_again(run)).log and stage.role("bo") == "viewer"
    stage.pylon.by_hand("bo@acme.example", role="admin")
    green(stage, stage.github.on_schedule())
    assert stage.role("bo") == "viewer"
    stage.github.commit("main", PROMOTED)
    red(stage, stage.github.on_schedule())
    [issue] = stage.github.issues("open")
    assert "](https://github.acme.example/acme/people/actions/runs/" in issue["body"]


def the_newest_commit_of_a_private_repository_is_read_with_the_job_token(stage):
    first = stage.reviewed(PROMOTED)
    stage.github.commit("main", BEFORE)
    stage.github.job_environment["FAKE_PRIVATE"] = "1"
    assert "It declares other files" in red(stage, stage.github.on_push(first)).log


def file_names_with_special_characters_are_found(stage):
    stage.github.changed_inputs = {"artifact": "plan of R&D #1 + 50% of Zürich", "reviewed-in": "plan & check?.yml"}
    number = stage.github.pull_request("change", PROMOTED)
    green(stage, stage.github.on_pull_request(number))
    with stage.github.world() as world:
        world["runs"][-1]["path"] = ".github/workflows/plan & check?.yml"
    green(stage, stage.github.push(stage.github.merge(number)))
    assert stage.role("bo") == "member"


def a_config_with_any_name_is_commented_on_recorded_and_covered(stage):
    stage.github.changed_inputs = {"config": "Büro & Söhne/users #1.toml", "artifact": "plan"}
    files = {"Büro & Söhne/users #1.toml": '[users]\n"bo@acme.example" = { role = "Member" }\n'}
    number = stage.github.pull_request("change", files)
    green(stage, stage.github.on_pull_request(number))
    in_order(comment(stage, number), "<!-- rolecall comment Büro & Söhne/users #1.toml -->", "which does not have these files", "bo@acme.example")
    green(stage, stage.github.on_push(stage.github.merge(number)))
    stage.github.changed_inputs.pop("artifact")
    stage.pylon.by_hand("bo@acme.example", role="admin")
    green(stage, stage.github.on_schedule())
    assert stage.role("bo") == "member"


def a_note_of_several_lines_is_quoted_and_stays_within_its_limit(stage):
    stage.github.commit("main", PROMOTED)

    def issue(note):
        inputs = {"command": "plan", "token": TOKEN, "issue": "Not\nin sync", "detailed-exitcode": "true", "note": note}
        own_job(stage, [{"uses": OUR_ACTION, "with": inputs}], {"issues": "write"})
        [issue] = stage.github.issues("open")
        return issue

    found = issue("One.\r\n\n<!-- rolecall issue other.toml -->\n# Two.")
    in_order(found["body"], "<!-- rolecall issue users.toml -->\n> One.\n> \n> <!-- rolecall issue other.toml -->\n> # Two.\n\n", "bo@acme.example")
    assert found["title"] == "Not in sync"
    assert len(issue("x\n" * 60000)["body"]) < 65536


def only_our_own_issues_are_read(stage):
    applied(stage)

    def requests():
        before = stage.github.read().get("requests", 0)
        green(stage, stage.github.on_schedule())
        return stage.github.read()["requests"] - before

    few = requests()
    with stage.github.world() as world:
        body = "<!-- rolecall issue users.toml -->\nforged"
        world["issues"] = [{"number": each, "state": "open", "user": {"login": "mallory"}, "title": "Help", "body": body} for each in range(450)]
    assert requests() == few <= 4


def block_after(heading):
    """Returns the first shell block after a heading in docs/ci.md."""
    return (PROJECT / "docs/ci.md").read_text().split(f"\n{heading}\n")[1].split("```sh\n")[1].split("```")[0]


def set_up(folder, *blocks, repository=OUR_REPOSITORY):
    """Runs setup commands from the docs in a new checkout with a macOS-like sed. Returns the workflows' folder and our commit."""
    files, bins = folder / "setup/people", PROJECT / "tests/pipelines/bin-macos"
    files.mkdir(parents=True)
    (folder / "setup/rolecall").symlink_to(PROJECT)
    environment = os.environ | {"PATH": f"{bins}{os.pathsep}{os.environ['PATH']}", "REAL_PATH": os.environ["PATH"]}
    for block in blocks:
        subprocess.run(["sh", "-eu", "-c", block], cwd=files, env=environment, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout.strip()
    version = subprocess.run(["git", "describe", "--tags", "--always"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout.strip()
    workflows = files / ".github/workflows"
    examples = sorted(path.name for path in (PROJECT / "examples/ci/github").iterdir())
    assert sorted(path.name for path in workflows.iterdir()) == examples
    for path in workflows.iterdir():
        uses = [line.split("@")[1] for line in path.read_text().splitlines() if f"uses: {repository}@" in line]
        assert set(uses) == {f"{commit} # {version}"}, path
    return workflows, commit


def the_setup_commands_pin_the_action_also_on_macos(stage):
    stage.github.workflows, commit = set_up(stage.folder, block_after("### 3. Copy the workflows"))
    publish(stage, commit)
    number = stage.github.pull_request("change", PROMOTED)
    assert downloaded(green(stage, stage.github.on_pull_request(number)))


def the_setup_commands_for_an_enterprise_server_name_the_copy_of_the_action(stage):
    enterprise = block_after("### GitHub Enterprise")
    push = "git -C ../rolecall push https://github.acme.example/ops/rolecall HEAD:refs/heads/main"
    assert push in enterprise
    set_up(stage.folder, block_after("### 3. Copy the workflows"), enterprise.replace(push, "git -C ../rolecall status > /dev/null"),
           repository="ops/rolecall")


def the_files_can_be_in_a_folder_of_a_larger_repository(stage):
    stage.github.workflows, _ = set_up(stage.folder, block_after("### 3. Copy the workflows"), block_after("### A folder of a larger repository"))
    stage.github.git("rm", "--quiet", "-r", "users.toml", "teams")
    stage.github.commit("main", {f"ops/pylon/{name}": text for name, text in BEFORE.items()})
    number = stage.github.pull_request("change", {f"ops/pylon/{name}": text for name, text in PROMOTED.items()} | {"src/main.c": ""})
    green(stage, stage.github.on_pull_request(number))
    in_order(comment(stage, number), "<!-- rolecall comment ops/pylon/users.toml -->", "**this change**<br>[`ops/pylon/teams/emea.toml:")
    green(stage, stage.github.push(stage.github.merge(number)))
    assert stage.role("bo") == "member"
    stage.pylon.by_hand("bo@acme.example", role="admin")
    green(stage, stage.github.on_schedule())
    assert stage.role("bo") == "member"
    assert stage.github.push(stage.github.commit("main", {"src/main.c": "int main;"})) is None
    green(stage, stage.github.on_schedule("rolecall-access.yml"))


def several_organizations_have_their_own_comments_environments_and_applies(stage):
    folder = stage.folder / "eu"
    folder.mkdir()
    eu = Pylon(folder, BINARY, ORGANIZATION | {"organization": {"id": "org_eu", "name": "Acme EU"}})
    try:
        apply_to_two_organizations(stage, {"us": stage.pylon, "eu": eu})
    finally:
        eu.stop()


def apply_to_two_organizations(stage, pylons):
    github = stage.github
    github.workflows = PROJECT / "examples/ci/github-organizations"
    del github.job_environment["PYLON_BASE_URL"]
    for environment in ("rolecall-plan", "rolecall-apply"):
        shared = github.environments.pop(environment)
        for name, pylon in pylons.items():
            github.environments[f"{environment}-{name}"] = shared
            github.environment_variables[f"{environment}-{name}"] = {"PYLON_BASE_URL": pylon.url}

    def roles():
        return {name: pylon.people()["bo@acme.example"][0] for name, pylon in pylons.items()}

    def files(name, emea):
        organization = "org_acme" if name == "us" else "org_eu"
        return {f"pylon/{name}/users.toml": f'{ROOT}\n[workspace]\norganization = "{organization}"\n', f"pylon/{name}/teams/emea.toml": emea}

    github.git("rm", "--quiet", "-r", "users.toml", "teams")
    before, promoted = BEFORE["teams/emea.toml"], PROMOTED["teams/emea.toml"]
    github.commit("main", files("us", before) | files("eu", before))

    number = github.pull_request("change", files("eu", promoted))
    run = green(stage, github.on_pull_request(number))
    assert list(run.jobs) == ["check us", "check eu", "plan us", "plan eu"]
    [body] = github.comments(number)  # the organization without changes gets no comment
    in_order(body, "<!-- rolecall comment pylon/eu/users.toml -->", "Acme EU", "bo@acme.example")
    green(stage, github.push(github.merge(number)))
    assert roles() == {"us": "viewer", "eu": "member"}

    # The plans of all organizations are approved in one step. After that, a failure in one doesn't stop the other.
    github.commit("main", files("us", promoted))
    run = green(stage, github.by_hand())
    assert list(run.jobs) == ["plan us", "plan eu", "agree", "apply us", "apply eu"] and roles() == {"us": "member", "eu": "member"}
    for pylon in pylons.values():
        pylon.by_hand("bo@acme.example", role="admin")
    github.environment_variables["rolecall-apply-us"] = {"PYLON_BASE_URL": "http://127.0.0.1:9"}
    run = red(stage, github.on_schedule())
    assert {name: job.result for name, job in run.jobs.items()} == {"in-sync us": "failure", "in-sync eu": "success"}
    assert roles() == {"us": "admin", "eu": "member"}
    assert [issue["title"] for issue in github.issues("open")] == ["Pylon and pylon/us/users.toml are not in sync"]


def the_examples_for_several_organizations_differ_only_by_the_organization(stage):
    def jobs(folder, workflow):
        text = (PROJECT / "examples/ci" / folder / workflow).read_text()
        for each in (" ${{ matrix.organization }}", "-${{ matrix.organization }}", "pylon/${{ matrix.organization }}/"):
            text = text.replace(each, "")
        written = yaml.safe_load(text)
        for job in written["jobs"].values():
            job.pop("strategy", None)
            job["concurrency"] = job.get("concurrency", written.get("concurrency"))
            for step in job["steps"]:
                step.get("with", {}).pop("config", None)
        return written["jobs"]

    for workflow in ("rolecall-plan.yml", "rolecall-apply.yml", "rolecall-scheduled.yml", "rolecall-access.yml"):
        assert jobs("github", workflow) == jobs("github-organizations", workflow), workflow


# ── the access review ───────────────────────────────────────────────────────────────────────────────────────────────────


def the_access_review_is_kept_and_shows_what_changed_since_the_last_one(stage):
    def review():
        run = green(stage, stage.github.on_schedule("rolecall-access.yml"))
        [kept] = [each for each in stage.github.read()["artifacts"] if each["run"] == run.number]
        assert kept["name"] == "rolecall-access"
        return run, Path(kept["file"])

    run, first = review()
    assert sorted(file.name for file in first.iterdir()) == ["access.csv", "access.html", "access.json"]
    report = json.loads((first / "access.json").read_text())
    commit = stage.github.git("rev-parse", "main")
    assert (report["files"]["commit"], report["files"]["modified"], report["unread"]) == (commit, False, [])
    assert all(person["declared"]["since"]["subject"] == "people" for person in report["people"])
    assert "since" not in report and stage.pylon.patches() == 0
    in_order(run.jobs["review"].summary, "<!-- rolecall:access -->", "4 active people · 2 Admins")

    stage.pylon.by_hand("bo@acme.example", role="admin")
    # Artifacts from another branch or a fork must be ignored.
    with stage.github.world() as world:
        for number, branch, repository in [(1, "change", "acme/people"), (2, "main", "mallory/people")]:
            world["runs"].append({"id": number, "event": "push", "head_sha": commit, "head_branch": branch,
                                  "head_repository": {"full_name": repository}})
            world["artifacts"].append({"id": number, "name": "rolecall-access", "run": number, "expired": False,
                                       "file": str(stage.folder / "nowhere"), "created_at": "2999-01-01T00:00:00Z"})
    run, second = review()
    changes = json.loads((second / "access.json").read_text())["since"]
    assert changes["read_at"] == report["read_at"]
    assert [(each["email"], each["gained"]) for each in changes["accounts"]] == [("bo@acme.example", ["Admin"])]
    assert "gains Admin; loses Viewer" in (second / "access.csv").read_text()
    in_order(run.jobs["review"].summary, "Changes since the earlier review", "`gains Admin, loses Viewer`")


def a_review_that_fails_keeps_nothing(stage):
    stage.github.commit("main", BROKEN)
    red(stage, stage.github.on_schedule("rolecall-access.yml"))
    assert stage.github.read()["artifacts"] == []


# ── any shell ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def the_shell_script_checks_plans_applies_and_keeps_in_sync(stage):
    origin, files = stage.github.origin, stage.folder / "files"
    before = gitlab.clone(origin, stage.folder / "before")
    stage.github.commit("change", PROMOTED)
    gitlab.clone(origin, files)
    bins = stage.folder / "bin"
    bins.mkdir()
    (bins / "rolecall").symlink_to(BINARY)

    def run(*words, token=True, **more):
        environment = {"PATH": f"{bins}{os.pathsep}{os.environ['PATH']}", "HOME": str(stage.folder), "PYLON_BASE_URL": stage.pylon.url}
        done = subprocess.run(
            ["sh", PROJECT / "examples/ci/rolecall.sh", *words], cwd=files, stdin=subprocess.DEVNULL,
            env=environment | ({"PYLON_API_TOKEN": TOKEN} if token else {}) | more,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
        )
        stage.logs.append(done.stdout)
        return done.returncode

    old = str(before / "users.toml")
    plan = "rolecall-out/plan.json"
    assert run() == 64
    assert run("check", token=False, BEFORE=old) == 0
    assert run("plan", token=False) == 1 and not (files / plan).exists()
    assert run("apply", plan) == 1 and run("apply") == 1
    assert run("plan", BEFORE=old) == 0
    in_order((files / "rolecall-out/report.md").read_text(), "<!-- rolecall:plan -->", "bo@acme.example", "**this change**")
    assert run("apply", plan) == 0 and stage.role("bo") == "member"
    assert list((files / "rolecall-out").glob("journal-*.jsonl"))
    assert run("apply", plan) == 0 and stage.pylon.patches() == 1
    assert run("apply", plan, TIP=old) == 5 and run("scheduled", TIP=old) == 5 and run("apply", plan, TIP="gone/users.toml") == 5
    stage.pylon.by_hand("bo@acme.example", role="admin")
    assert run("apply", plan) == 5 and stage.role("bo") == "admin"
    assert run("scheduled", ROLECALL_SCHEDULE="report") == 2 and stage.role("bo") == "admin"
    assert run("scheduled", APPLIED="elsewhere.txt") == 2 and stage.role("bo") == "admin"
    assert run("scheduled") == 0 and stage.role("bo") == "member"
    (files / "users.toml").write_text(ROOT + "# nothing else\n")
    stage.pylon.by_hand("bo@acme.example", role="admin")
    assert run("scheduled") == 2 and stage.role("bo") == "admin"
    stage.pylon.by_hand("bo@acme.example", role="member")
    assert run("scheduled") == 2
    (files / "users.toml").write_text(REFUSED["users.toml"])
    assert run("plan") == 3 and not (files / plan).exists()
    assert run("scheduled") == 3 and stage.role("ben") == "admin"


# ── GitLab ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def gitlab_plans_in_the_merge_request_and_applies_on_merge(stage):
    lab = gitlab.GitLab(stage.folder, PROJECT, BINARY, stage.pylon)
    origin, workspace = stage.github.origin, stage.folder / "build"
    base = stage.github.git("rev-parse", "main")

    def run(name, expected, **variables):
        code, log = lab.run(name, gitlab.clone(origin, workspace), variables)
        stage.logs.append(log)
        assert TOKEN not in log and gitlab.TOKEN not in log
        assert code == expected, f"{name} ends with {code}:\n{log}"
        return log

    request = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_PROJECT_ID": "77", "CI_MERGE_REQUEST_PROJECT_ID": "77",
               "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "77", "CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
               "CI_PROJECT_URL": "https://gitlab.example/acme/people", "CI_COMMIT_SHA": "c0ffee"}
    main = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
    assert lab.jobs(request) == ["rolecall check", "rolecall plan"]
    assert lab.jobs(request | {"CI_PROJECT_ID": "88", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "88"}) == ["rolecall check"]
    assert lab.jobs(request | {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "88"}) == ["rolecall check"]
    assert lab.jobs(main | {"CI_PIPELINE_SOURCE": "push"}) == ["rolecall apply"]
    assert lab.jobs(main | {"CI_PIPELINE_SOURCE": "web"}) == ["rolecall plan again", "rolecall apply by hand"]
    assert lab.jobs(main | {"CI_PIPELINE_SOURCE": "schedule"}) == ["rolecall scheduled"]

    # The merge request has a single note, which is updated.
    marker = "<!-- rolecall note users.toml -->"
    lab.notes = [{"id": each, "author": {"id": 9}, "body": f"{marker}\nforged"} for each in range(120)]
    head = stage.github.commit("change", PROMOTED)
    run("rolecall check", 0, **request)
    run("rolecall plan", 0, **request, CI_COMMIT_SHORT_SHA=head[:8])
    run("rolecall plan", 0, **request, CI_COMMIT_SHORT_SHA=head[:8])
    [note] = [note["body"] for note in lab.notes if note["author"]["id"] == 3]
    in_order(note, marker, "<!-- rolecall:plan -->", "bo@acme.example", "**this change**<br>[`teams/emea.toml:2`](https://gitlab.example/acme/people/-/blob/c0ffee/",
             head[:8], "exit code 0")
    widget = workspace / lab.document["rolecall plan"]["artifacts"]["reports"]["terraform"]
    assert json.loads(widget.read_text()) == {"create": 0, "update": 1, "delete": 0}
    plan = (workspace / "plan.json").read_bytes()
    stage.github.commit("change", BROKEN)  # the note must not show the plan of other files
    run("rolecall plan", 1, **request, CI_COMMIT_SHORT_SHA="b20ce2ed")
    [note] = [note["body"] for note in lab.notes if note["author"]["id"] == 3]
    in_order(note, marker, "rolle", "b20ce2ed", "exit code 1")
    assert not widget.exists()
    _, log = lab.run("rolecall plan", workspace, request | {"CI_COMMIT_SHORT_SHA": "dead", "PATH": "/usr/bin:/bin"})  # without rolecall
    stage.logs.append(log)
    [note] = [note["body"] for note in lab.notes if note["author"]["id"] == 3]
    in_order(note, "ended without a report", "dead", "exit code 127")
    # A file that isn't in git must not be reported as new.
    stage.github.git("reset", "--quiet", "--hard", head)
    gitlab.clone(origin, workspace)
    (workspace / "teams/made.toml").write_text("[users]\n")
    for job in ("rolecall check", "rolecall plan"):
        code, log = lab.run(job, workspace, request | {"CI_COMMIT_SHORT_SHA": "c0ffee01"})
        assert code == 1 and "git does not track teams/made.toml, or it is in a submodule" in log, log
    [note] = [note["body"] for note in lab.notes if note["author"]["id"] == 3]
    in_order(note, "<!-- rolecall:plan -->", "c0ffee01", "exit code 1")

    # After the merge, nothing is applied until there is a plan. It's applied exactly once.
    stage.github.git("checkout", "--quiet", "main")
    stage.github.git("merge", "--quiet", "--no-ff", "--message", "merge", "change")
    commit = stage.github.git("rev-parse", "main")
    push = main | {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_SHA": commit, "CI_COMMIT_SHORT_SHA": commit[:8]}
    assert "Nothing was applied" in run("rolecall apply", 1, **push)
    lab.requests[commit] = [{"iid": 7, "state": "merged", "merge_commit_sha": commit, "squash_commit_sha": None, "sha": head}]
    assert "Nothing was applied" in run("rolecall apply", 1, **push)
    lab.pipelines = [{"id": 5, "status": "success"}, {"id": 6, "status": "failed"}]
    assert "Nothing was applied" in run("rolecall apply", 1, **push)
    assert stage.role("bo") == "viewer"
    lab.artifacts = {50: plan}
    run("rolecall apply", 0, **push)
    run("rolecall apply", 0, **push)
    assert stage.role("bo") == "member" and stage.pylon.patches() == 1
    lab.applied = {70: (workspace / "applied.txt").read_bytes()}
    others = [{"id": 90 + number, "name": "rolecall check", "ref": "main", "tag": False} for number in range(120)]
    forged = [{"id": 80, "name": "rolecall apply", "ref": "change", "tag": False}, {"id": 81, "name": "rolecall apply", "ref": "main", "tag": True}]
    lab.successful = others + forged + [{"id": 70, "name": "rolecall apply", "ref": "main", "tag": False}]

    # The plan doesn't contain a manual change, so the apply refuses to run. The schedule reports it, and reverts it if requested.
    stage.pylon.by_hand("bo@acme.example", role="admin")
    run("rolecall apply", 5, **push)
    run("rolecall scheduled", 2, **main)
    assert stage.role("bo") == "admin"
    run("rolecall scheduled", 0, **main, ROLECALL_SCHEDULE="apply")
    assert stage.role("bo") == "member"
    run("rolecall plan again", 0, **main)

    # Files that were never applied are only reported, and rerunning an old job changes nothing.
    tip = stage.github.commit("main", {"teams/emea.toml": BEFORE["teams/emea.toml"]})
    stage.github.git("tag", "main", commit)
    assert "not those that the last successful apply covered" in run("rolecall scheduled", 2, **main, ROLECALL_SCHEDULE="apply")
    assert stage.role("bo") == "member"
    lab.applied = {}
    run("rolecall scheduled", 2, **main, ROLECALL_SCHEDULE="apply")
    subprocess.run(["git", "checkout", "--quiet", commit], cwd=gitlab.clone(origin, workspace), check=True)
    code, log = lab.run("rolecall apply", workspace, push)
    assert code == 5 and "The newest commit of main declares other files" in log and not (workspace / "applied.txt").exists(), log
    assert tip != commit and stage.role("bo") == "member"

    # A blocked plan fails the job and appears in the note.
    stage.github.commit("change", REFUSED)
    run("rolecall plan", 3, **request, CI_COMMIT_SHORT_SHA="c0ffee00")
    [note] = [note["body"] for note in lab.notes if note["author"]["id"] == 3]
    in_order(note, "keep_at_least", "exit code 3")
    assert json.loads(widget.read_text())["update"] == 1
    lab.stop()


# ── playing ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def play(scene):
    """Runs a scene, and returns True if it passed, along with the details."""
    started = time.monotonic()
    stage = Stage()
    try:
        scene(stage)
    except Exception:
        return False, f"{traceback.format_exc()}\n{''.join(stage.logs)}"
    finally:
        stage.close()
    return True, f"({time.monotonic() - started:.1f} s){stage.figure and ': '}{stage.figure}"


def main():
    words = [word.replace(" ", "_") for word in sys.argv[1:]]
    scenes = [scene for name, scene in globals().items() if getattr(scene, "__module__", "") == "__main__" and hasattr(scene, "__code__")
              and scene.__code__.co_varnames[:1] == ("stage",) and scene.__code__.co_argcount == 1 and name != "applied"]
    scenes = [scene for scene in scenes if not words or any(word in scene.__name__ for word in words)]
    failed = 0
    first = [scene for scene in scenes if hasattr(scene, "is_alone")]
    others = [scene for scene in scenes if scene not in first]

    def show(scene, result):
        went_well, text = result
        print(f"{'ok  ' if went_well else 'FAIL'}  {scene.__name__.replace('_', ' ')}  {text}", flush=True)
        return not went_well

    for scene in first:
        failed += show(scene, play(scene))
    with ThreadPoolExecutor(4) as pool:  # scenes spend most of their time waiting for other processes
        for scene, result in zip(others, pool.map(play, others)):
            failed += show(scene, result)
    print(f"\npipelines: {len(scenes) - failed} passed, {failed} failed")
    return 1 if failed or not scenes else 0


if __name__ == "__main__":
    sys.exit(main())
