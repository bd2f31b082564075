"""A minimal GitHub Actions that runs this project's workflows locally and unmodified.

It evaluates the expressions and the conditions, passes secrets and permissions to jobs, checks out git commits, and runs every
`run:` step. It simulates the runner's own actions (checkout, cache, artifacts), `gh` (gh.py), and the build.
"""

import base64
import datetime
import fnmatch
import functools
import json
import os
import re
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import gh
import yaml

# The port of the simulated `gh`.
GH = str(gh.start())
REPOSITORY = "acme/people"
OUR_REPOSITORY, OUR_COMMIT = "rolecall-dev/rolecall", "0" * 40
OUR_ACTION = f"{OUR_REPOSITORY}@{OUR_COMMIT}"


@functools.cache
def document(path):
    """Parses a YAML file. The result is cached, so it must not be modified."""
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def copy_program(folder, into):
    """Copies a folder that contains a program, in a process of its own.

    If this process wrote the program, another thread could start a process meanwhile, which would inherit the open file. Until
    that process calls `exec`, the program cannot start ("Text file busy").
    """
    Path(into).mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-R", f"{folder}/.", str(into)], check=True)
    return into


# ── expressions ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TOKEN = re.compile(r"\s*(?:(\|\||&&|==|!=|[!()])|'((?:[^']|'')*)'|([A-Za-z_][\w.-]*)|(\d+))")
STATUS = re.compile(r"\b(success|failure|cancelled|always)\s*\(")


class Expression:
    """Evaluates an expression such as `a || b && !c == 'd'`, with dotted contexts and the four status functions."""

    def __init__(self, text, contexts, status):
        self.tokens, at = [], 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            assert match, f"cannot read {text[at:]!r}"
            self.tokens.append(match.groups())
            at = match.end()
        self.contexts, self.status = contexts, status

    def value(self):
        value = self.either()
        assert not self.tokens, f"left over: {self.tokens}"
        return value

    def operator(self, *those):
        if self.tokens and self.tokens[0][0] in those:
            return self.tokens.pop(0)[0]
        return None

    def either(self):
        value = self.both()
        while self.operator("||"):
            other = self.both()
            value = value or other
        return value

    def both(self):
        value = self.equal()
        while self.operator("&&"):
            other = self.equal()
            value = value and other
        return value

    def equal(self):
        value = self.negated()
        while which := self.operator("==", "!="):
            same = self.comparable(value) == self.comparable(self.negated())
            value = same == (which == "==")
        return value

    @staticmethod
    def comparable(value):
        return value.lower() if isinstance(value, str) else "" if value is None else value

    def negated(self):
        if self.operator("!"):
            return not self.negated()
        if self.operator("("):
            value = self.either()
            assert self.operator(")")
            return value
        _, text, name, number = self.tokens.pop(0)
        if text is not None:
            return text.replace("''", "'")
        if number is not None:
            return int(number)
        if self.operator("("):
            assert self.operator(")"), f"{name} takes nothing here"
            return self.status[name]
        value = self.contexts
        for part in name.split("."):
            if value is self.contexts:
                assert part in value, f"no context {part}"
            value = value.get(part) if isinstance(value, dict) else None
        return value


def condition(text, contexts, status):
    if text is None:
        return status["success"]
    text = str(text).strip()
    if text.startswith("${{"):
        text = text[3:].removesuffix("}}")
    value = Expression(text, contexts, status).value()
    return bool(value) and (bool(STATUS.search(text)) or status["success"])


def fill(value, contexts, status):
    """Substitutes every `${{ }}` in a value."""

    def replaced(match):
        value = Expression(match[1], contexts, status).value()
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    return re.sub(r"\$\{\{(.*?)\}\}", replaced, text, flags=re.DOTALL)


# ── the world ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Failed(Exception):
    """Raised when a simulated step fails."""


@dataclass
class Job:
    result: str
    log: str = ""
    summary: str = ""
    # Names of the steps that had access to Pylon's token.
    trusted: list = field(default_factory=list)


@dataclass
class Run:
    number: int
    jobs: dict

    @property
    def conclusion(self):
        results = [job.result for job in self.jobs.values()]
        for worst in ("failure", "cancelled"):
            if worst in results:
                return worst
        return "success" if "success" in results else "skipped"

    @property
    def log(self):
        return "".join(job.log for job in self.jobs.values())


class GitHub:
    """A repository, its pull requests, comments, and issues, and the runners."""

    def __init__(self, folder, project, binary, pylon_token):
        self.folder, self.project, self.binary = folder, project, binary
        self.origin = folder / "origin"
        # The folder that the repository's workflows are taken from.
        self.workflows = project / "examples/ci/github"
        self.state = folder / "github.json"
        self.cache = {}
        self.variables = {}
        self.clock = datetime.datetime.now(datetime.timezone.utc)
        # The event that started each run.
        self.started = {}
        self.rejects = set()
        # Environments still waiting for approval when a newer run in the same group starts.
        self.overtaken = set()
        # Maps environments to functions that are called once while waiting for approval.
        self.while_waiting = {}
        self.cargo_fails = False
        self.server = "https://github.com"
        # Prefixes of the names of steps that must fail.
        self.breaks = ()
        # Overrides for our action's inputs. `validate` gets no `args`, because it doesn't accept the options of `plan`.
        self.changed_inputs = {}
        self.visibility = "private"
        # Our action's repository and ref, if they differ from those in the examples, and the runners' architecture.
        self.action_repository, self.action_ref = OUR_REPOSITORY, None
        self.architecture = "X64"
        # Wall-clock time of our action's steps in seconds, and CPU time of all processes that ended meanwhile.
        self.seconds, self.processor_seconds = 0.0, 0.0
        # Names of the steps during which the run is canceled.
        self.cancels = set()
        # Maps environments to their secrets and a flag that restricts them to the main branch.
        token = {"PYLON_API_TOKEN": pylon_token}
        self.environments = {
            "rolecall-plan": (token, False),
            "rolecall-apply": (token, True),
            "rolecall-by-hand": ({}, True),
        }
        self.job_environment = {}
        # Maps environments to additional variables for their jobs.
        self.environment_variables = {}
        self.save({"repository": REPOSITORY, "comments": [], "issues": [], "labels": [], "pulls": [], "runs": [], "artifacts": []})
        self.git("init", "--quiet", "--initial-branch=main", str(self.origin), at=folder)
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")

    # Files and commits.

    def git(self, *words, at=None):
        done = subprocess.run(
            ["git", "-c", "user.name=Ana", "-c", "user.email=ana@acme.example", *words],
            cwd=at or self.origin, check=True, capture_output=True, text=True,
        )
        return done.stdout.strip()

    def commit(self, branch, files, message="people"):
        """Commits to a branch, creating it from main if necessary."""
        known = self.git("branch", "--list", branch)
        self.git("checkout", "--quiet", *(["-B", branch] if not known else [branch]), *(["main"] if not known and branch != "main" else []))
        for name, text in files.items():
            path = self.origin / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def submodule(self, path, files):
        """Adds a repository as a submodule or updates it, and commits the change to main."""
        other = self.folder / f"other-{path}"
        if not other.exists():
            self.git("init", "--quiet", "--initial-branch=main", str(other), at=self.folder)
            self.git("config", "uploadpack.allowAnySHA1InWant", "true", at=other)
        for name, text in files.items():
            (other / name).write_text(text)
        self.git("add", "--all", at=other)
        self.git("commit", "--quiet", "--message", "people", at=other)
        self.git("checkout", "--quiet", "main")
        if not (self.origin / path).exists():
            self.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", f"file://{other}", path)
        self.git("pull", "--quiet", "origin", "main", at=self.origin / path)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "people")

    def pull_request(self, branch, files, fork=False, author="bo"):
        """Opens a pull request with these files, or pushes a commit to the existing one."""
        head = self.commit(branch, files)
        with self.world() as world:
            pull = next((pull for pull in world["pulls"] if pull["branch"] == branch), None)
            if not pull:
                pull = {"number": 41 + len(world["pulls"]), "branch": branch, "merged_at": None, "merge_commit_sha": None}
                world["pulls"].append(pull)
            name = "mallory/people" if fork else REPOSITORY
            pull |= {"head": {"sha": head, "repo": {"full_name": name}}, "user": {"login": author}}
            number = pull["number"]
        return number

    def test_merge(self, number):
        """Creates the commit that merging the pull request into main would produce."""
        pull = self.pull(number)
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", "merge", pull["head"]["sha"])
        return self.git("rev-parse", "HEAD")

    def merge(self, number):
        """Squash-merges the pull request into main and returns the new commit."""
        pull = self.pull(number)
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--squash", pull["head"]["sha"])
        self.git("commit", "--quiet", "--message", f"people (#{number})")
        commit = self.git("rev-parse", "HEAD")
        with self.world() as world:
            for each in world["pulls"]:
                if each["number"] == number:
                    each |= {"merged_at": "2026-11-20T08:00:00Z", "merge_commit_sha": commit}
        return commit

    # GitHub's state.

    def save(self, world):
        self.state.write_text(json.dumps(world, indent=1))

    def read(self):
        return json.loads(self.state.read_text())

    def world(self):
        return _Open(self)

    def pull(self, number):
        return next(pull for pull in self.read()["pulls"] if pull["number"] == number)

    def comments(self, number, of="github-actions[bot]"):
        return [each["body"] for each in self.read()["comments"] if each["on"] == number and each["user"]["login"] == of]

    def issues(self, state):
        return [issue for issue in self.read()["issues"] if issue["state"] == state]

    # Events.

    def on_pull_request(self, number):
        pull = self.pull(number)
        commit = self.test_merge(number)
        trusted = pull["head"]["repo"]["full_name"] == REPOSITORY and pull["user"]["login"] != "dependabot[bot]"
        event = {"pull_request": {"number": number} | {key: pull[key] for key in ("head", "user")}}
        return self.run("rolecall-plan.yml", "pull_request", commit, f"refs/pull/{number}/merge", event,
                        head=pull["head"], trusted=trusted)

    def on_merge_group(self, number):
        commit = self.test_merge(number)
        ref = f"refs/heads/gh-readonly-queue/main/pr-{number}"
        return self.run("rolecall-plan.yml", "merge_group", commit, ref, {"merge_group": {"head_sha": commit}}), commit

    def push(self, commit):
        """Returns the run triggered by pushing this commit to main, or None."""
        trigger = document(self.workflows / "rolecall-apply.yml")[True]["push"]
        changed = self.git("diff", "--name-only", f"{commit}^", commit).splitlines()
        watched = any(fnmatch.fnmatch(name, pattern) for name in changed for pattern in trigger["paths"])
        if not watched or "[skip ci]" in self.git("log", "-1", "--format=%B", commit):
            return None
        return self.on_push(commit)

    def on_push(self, commit, ref="refs/heads/main"):
        return self.run("rolecall-apply.yml", "push", commit, ref, {})

    def by_hand(self, workflow="rolecall-apply.yml", ref="refs/heads/main"):
        return self.run(workflow, "workflow_dispatch", self.git("rev-parse", "main"), ref, {})

    def on_schedule(self, workflow="rolecall-scheduled.yml"):
        return self.run(workflow, "schedule", self.git("rev-parse", "main"), "refs/heads/main", {})

    # Running.

    def run_again(self, run):
        """Reruns all jobs for the same commit and event, as the next attempt."""
        return self.run(*self.started[run.number], again=run.number)

    def run(self, workflow, event_name, commit, ref, event, head=None, trusted=True, again=None):
        written = document(self.workflows / workflow)
        triggers = written[True]  # YAML parses the key `on` as true
        assert event_name in triggers, f"{workflow} does not run on {event_name}"
        assert written["permissions"] == {}, f"{workflow} grants permissions to all of its jobs"
        with self.world() as world:
            number = again or 9000 + len(world["runs"])
            record = {
                "id": number, "path": f".github/workflows/{workflow}", "event": event_name, "status": "in_progress", "conclusion": None,
                "head_sha": head["sha"] if head else commit, "head_branch": ref.removeprefix("refs/heads/"),
                "head_repository": {"full_name": head["repo"]["full_name"] if head else REPOSITORY},
            }
            if again:
                [record] = [each for each in world["runs"] if each["id"] == again]
                record |= {"status": "in_progress", "conclusion": None, "run_attempt": record.get("run_attempt", 1) + 1}
            else:
                world["runs"].append(record)
        self.started[number] = (workflow, event_name, commit, ref, event, head, trusted)
        github = {
            "event_name": event_name, "sha": commit, "ref": ref, "repository": REPOSITORY, "run_id": number,
            "run_attempt": record.get("run_attempt", 1),
            "event": event | {"repository": {"visibility": self.visibility, "default_branch": "main"}},
        }
        jobs = {}
        for name, job in written["jobs"].items():
            for title, matrix in variants(name, job):
                jobs[title] = self.job(name, job, jobs, written["jobs"], github, trusted, matrix)
        run = Run(number, jobs)
        with self.world() as world:
            [record] = [each for each in world["runs"] if each["id"] == number]
            record |= {"status": "completed", "conclusion": run.conclusion}
        return run

    def job(self, name, job, jobs, all_jobs, github, trusted, matrix):
        needed = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        ancestors, queue = set(), list(needed)
        while queue:
            ancestor = queue.pop()
            ancestors.add(ancestor)
            needs = all_jobs[ancestor].get("needs", [])
            queue += [needs] if isinstance(needs, str) else needs
        results = {each: Run(0, {title: jobs[title] for title, _ in variants(each, all_jobs[each])}).conclusion for each in ancestors}
        # `cancelled()` refers to the whole run, which continues when a concurrency group cancels one of its jobs.
        status = {
            "success": all(results[each] == "success" for each in needed),
            "failure": any(results[each] == "failure" for each in ancestors),
            "cancelled": False, "always": True,
        }
        contexts = {
            "github": github | {"job": name}, "needs": {each: {"result": results[each]} for each in needed}, "matrix": matrix,
            "vars": self.variables, "secrets": {}, "runner": {}, "env": {}, "steps": {}, "inputs": {},
        }
        if not condition(job.get("if"), contexts, status):
            return Job("skipped")
        variables = {}
        if environment := job.get("environment"):
            assert isinstance(environment, dict), "an environment is written with its name"
            environment = fill(environment["name"], contexts, status)
            secrets, main_alone = self.environments[environment]
            if environment in self.overtaken:
                assert job["concurrency"]["cancel-in-progress"], "a newer run waits behind this one"
                return Job("cancelled", "a newer run has come into the group\n")
            self.while_waiting.pop(environment, lambda: None)()
            if environment in self.rejects or (main_alone and github["ref"] != "refs/heads/main"):
                return Job("failure", f"the environment {environment} does not let this run in\n")
            contexts["secrets"] = secrets if trusted else {}
            variables = self.environment_variables.get(environment, {})
        assert "permissions" in job and job["timeout-minutes"] <= 60
        granted = job["permissions"] if trusted else {scope: "read" for scope in job["permissions"]}
        return Runner(self, contexts, granted, variables).job(job)


def variants(name, job):
    """Expands a workflow's job into the title and matrix of each resulting job."""
    matrix = job.get("strategy", {}).get("matrix")
    if not matrix:
        return [(name, {})]
    [(key, values)] = matrix.items()
    assert job["strategy"]["fail-fast"] is False, "a failure of one organization would cancel the others"
    return [(f"{name} {value}", {key: value}) for value in values]


class _Open:
    """Opens GitHub's state and saves it on exit."""

    def __init__(self, github):
        self.github = github

    def __enter__(self):
        self.opened = self.github.read()
        return self.opened

    def __exit__(self, *_):
        self.github.save(self.opened)


class Runner:
    """A fresh machine for a single job."""

    def __init__(self, github, contexts, granted, variables):
        self.github, self.contexts = github, contexts
        self.variables = github.job_environment | variables
        count = len(list(github.folder.glob("runner-*")))
        self.home = github.folder / f"runner-{count}"
        self.workspace = self.home / "work"
        self.temp = self.home / "temp"
        for folder in (self.workspace, self.temp, self.home / "files"):
            folder.mkdir(parents=True)
        token = "ghs_" + base64.urlsafe_b64encode(json.dumps(granted).encode()).decode()
        contexts["github"] |= {"token": token}
        contexts["runner"] |= {"temp": str(self.temp), "os": "Linux", "arch": "X64"}
        self.result = Job("success")
        self.path = []
        self.canceled = False

    def job(self, job):
        self.steps(job["steps"], self.contexts, {})
        return self.result

    def steps(self, steps, contexts, environment):
        """Runs a list of steps and returns True if all of them succeeded."""
        contexts["steps"] = {}
        well = True
        for step in steps:
            status = {"success": well, "failure": not well and not self.canceled, "cancelled": self.canceled, "always": True}
            outcome, outputs = "skipped", {}
            if condition(step.get("if"), contexts, status):
                name = step.get("name", step.get("uses", step.get("run", "")))
                self.result.log += f"── {name}\n"
                try:
                    if name in self.github.cancels:
                        well, self.canceled = False, True
                        raise Failed("The operation was canceled.")
                    if name.startswith(self.github.breaks):
                        raise Failed("This step is to fail.")
                    outputs = self.step(step, name, contexts, environment, status)
                    outcome = "success"
                except Failed as failed:
                    outputs = failed.args[1] if len(failed.args) > 1 else {}
                    self.result.log += f"{failed.args[0]}\n"
                    outcome, well = "cancelled" if self.canceled else "failure", False
            if "id" in step:
                contexts["steps"][step["id"]] = {"outcome": outcome, "outputs": outputs}
        if not well:
            self.result.result = "cancelled" if self.canceled else "failure"
        return well

    def step(self, step, name, contexts, environment, status):
        own = {key: fill(value, contexts, status) for key, value in step.get("env", {}).items()}
        if any(token in own.values() for token in self.secrets()):
            self.result.trusted.append(name)
        if "run" in step:
            assert "${{" not in step["run"], f"an expression inside a script: {name}"
            return self.script(step["run"], step.get("shell"), environment | own)
        inputs = {key: fill(value, contexts, status) for key, value in step.get("with", {}).items()}
        action = step["uses"].split("#")[0].strip()
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), f"not pinned: {action}"
        return self.action(action, inputs, contexts)

    def secrets(self):
        return {value for secrets, _ in self.github.environments.values() for value in secrets.values()}

    def script(self, text, shell, environment):
        count = len(list(self.home.glob("files/step-*")))
        file, output = self.home / f"files/step-{count}", self.home / f"files/output-{count}"
        path = self.home / f"files/path-{count}"
        file.write_text(text)
        summary = self.home / f"files/summary-{count}"
        output.touch()
        path.touch()
        summary.touch()
        github = self.contexts["github"]
        base = {
            "PATH": os.pathsep.join([*self.path, str(self.github.project / "tests/pipelines/bin"), os.environ["PATH"]]), "HOME": str(self.home), "LANG": "C.UTF-8", "CI": "true",
            "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(self.workspace), "RUNNER_TEMP": str(self.temp), "RUNNER_OS": "Linux",
            "RUNNER_ARCH": self.github.architecture, "GITHUB_OUTPUT": str(output), "GITHUB_PATH": str(path), "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_SHA": github["sha"], "GITHUB_REF": github["ref"], "GITHUB_REF_NAME": github["ref"].removeprefix("refs/heads/"),
            "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_RUN_ID": str(github["run_id"]), "GITHUB_EVENT_NAME": github["event_name"],
            "GITHUB_SERVER_URL": self.github.server, "FAKE_GITHUB": str(self.github.state), "FAKE_GH": GH,
            "FAKE_BUILD": "" if self.github.cargo_fails else str(self.github.binary),
            "REAL_PATH": os.environ["PATH"],
        }
        options = ["--noprofile", "--norc", "-eo", "pipefail"] if shell == "bash" else ["-e"]
        done = subprocess.run(
            ["bash", *options, str(file)], cwd=self.workspace, env=base | self.variables | environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
        )
        self.result.log += done.stdout
        self.path += path.read_text().split()
        if summary.stat().st_size <= 1024 * 1024:
            self.result.summary += summary.read_text()
        else:  # the entire summary is dropped, but the step continues
            self.result.log += f"##[error]$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got {summary.stat().st_size}\n"
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        if done.returncode:
            raise Failed(f"exit code {done.returncode}", outputs)
        return outputs

    def action(self, action, inputs, contexts):
        match action.split("@")[0]:
            case "actions/checkout":
                assert inputs["persist-credentials"] == "false"
                self.check_out(inputs, contexts["github"]["sha"])
            case "actions/cache/restore":
                kept = self.github.cache.get(inputs["key"])
                if kept:
                    copy_program(kept, inputs["path"])
                return {"cache-hit": "true" if kept else ""}
            case "actions/cache/save":
                self.github.cache[inputs["key"]] = copy_program(inputs["path"], self.home / "cache")
            case "actions/upload-artifact":
                self.upload(inputs, contexts["github"]["run_id"])
                if Path(inputs["path"]).exists():
                    return {"artifact-url": f"https://github.com/{REPOSITORY}/actions/artifacts/{inputs['name']}"}
            case "actions/download-artifact":
                kept = [each for each in self.github.read()["artifacts"]
                        if each["name"] == inputs["name"] and str(each["run"]) == inputs["run-id"] and not each["expired"]]
                if not kept:
                    raise Failed("no such artifact")
                if Path(kept[-1]["file"]).is_dir():
                    shutil.copytree(kept[-1]["file"], inputs["path"])
                else:
                    Path(inputs["path"]).mkdir(parents=True)
                    shutil.copy(kept[-1]["file"], inputs["path"])
            case _:
                repository, ref = action.split("@")
                assert repository == OUR_REPOSITORY, f"what is {action}?"
                changed = {} if inputs["command"] == "outdated" else self.github.changed_inputs
                if inputs["command"] == "validate":
                    changed = {name: value for name, value in changed.items() if name != "args"}
                return self.composite(inputs | changed, ref)
        return {}

    def check_out(self, inputs, commit):
        git, folder = self.github.git, self.workspace / inputs.get("path", ".")
        folder.mkdir(exist_ok=True)
        depth = inputs.get("fetch-depth", "1")
        git("init", "--quiet", ".", at=folder)
        git("remote", "add", "origin", f"file://{self.github.origin}", at=folder)
        git("fetch", "--quiet", *([] if depth == "0" else ["--depth", depth]), "origin", inputs.get("ref") or commit, at=folder)
        git("checkout", "--quiet", "--detach", "FETCH_HEAD", at=folder)
        if inputs.get("submodules") == "true":
            git("-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init",
                *([] if depth == "0" else [f"--depth={depth}"]), at=folder)

    def upload(self, inputs, run):
        file = Path(inputs["path"])
        if not file.exists():
            if inputs.get("if-no-files-found") == "ignore":
                return
            raise Failed(f"nothing at {file}")
        assert not set('":<>|*?\\/') & set(inputs["name"]), f"GitHub takes no artifact called {inputs['name']}"
        with self.github.world() as world:
            taken = any((each["name"], each["run"]) == (inputs["name"], run) for each in world["artifacts"])
            if taken and inputs.get("overwrite") != "true":
                raise Failed(f"there is an artifact called {inputs['name']} already")
            world["artifacts"] = [each for each in world["artifacts"] if (each["name"], each["run"]) != (inputs["name"], run)]
            kept = self.github.folder / f"artifact-{run}-{inputs['name']}" / file.name
            kept.parent.mkdir(exist_ok=True)
            if file.is_dir():
                shutil.copytree(file, kept, dirs_exist_ok=True)
            else:
                shutil.copy(file, kept)
            self.github.clock += datetime.timedelta(seconds=1)
            world["artifacts"].append({"id": 7000 + run, "name": inputs["name"], "run": run, "expired": False, "file": str(kept),
                                       "created_at": self.github.clock.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def composite(self, given, ref):
        action = document(self.github.project / "action.yml")
        unknown = given.keys() - action["inputs"].keys()
        assert not unknown, f"no such inputs: {unknown}"
        inputs = {name: given.get(name, each.get("default")) for name, each in action["inputs"].items()}
        ours = {"action_repository": self.github.action_repository, "action_ref": self.github.action_ref or ref}
        contexts = self.contexts | {"github": self.contexts["github"] | ours, "inputs": inputs, "secrets": {}}
        started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        well = self.steps(action["runs"]["steps"], contexts, {"GITHUB_ACTION_PATH": str(self.github.project)})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.github.seconds += time.monotonic() - started
        self.github.processor_seconds += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if not well:
            raise Failed("rolecall failed")
        return {}
