"""A fake `gh` that implements the commands and endpoints this project uses and stores its state in a JSON file.

The token encodes the permissions that a job's `permissions:` grant, and requests beyond them get a 403. Lists are paginated. `--jq`
runs the real jq on each page, as the real `gh` does.

Scripts run bin/gh, which passes each call to this server. The scenes make thousands of calls, and starting Python for each of them
would take a fifth of their time.
"""

import argparse
import base64
import hashlib
import json
import shutil
import socketserver
import string
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

# Characters allowed in a path. All others must be encoded.
PLAIN = string.ascii_letters + string.digits + "-._~/%"
BOT = {"login": "github-actions[bot]", "type": "Bot"}


def fail(status, text):
    sys.exit(f"gh: {text} (HTTP {status})")


class Call:
    """One run of `gh` in a folder, with these environment variables, which `--jq` can use as `env`. `output` is what it prints."""

    def __init__(self, folder, environment):
        self.folder, self.environment, self.output = Path(folder), environment, ""

    def arguments(self, argv):
        given = {"method": None, "jq": None, "paginate": False, "fields": {}, "endpoint": None}
        words = iter(argv)
        for word in words:
            if word in ("--method", "--jq"):
                given[word[2:]] = next(words)
            elif word in ("--field", "--raw-field"):
                key, value = next(words).split("=", 1)
                if word == "--field" and value.startswith("@"):
                    with open(self.folder / value[1:], encoding="utf-8") as file:
                        value = file.read()
                given["fields"][key] = value
            elif word == "--paginate":
                given["paginate"] = True
            elif word == "--silent":
                pass
            elif word.startswith("-") or given["endpoint"]:
                sys.exit(f"gh: {word} is not known here")
            else:
                given["endpoint"] = word
        given["method"] = given["method"] or ("POST" if given["fields"] else "GET")
        url = urlsplit(given["endpoint"])
        given["path"] = url.path
        if not set(url.path + url.query) <= set(PLAIN + "=&"):
            sys.exit(f"gh: this is no address: {given['endpoint']}")
        given["query"] = {key: values[-1] for key, values in parse_qs(url.query).items()}
        if given["method"] == "GET":  # the fields form the query and may contain any characters
            given["query"] |= given["fields"]
        return given

    def permitted(self, scope, level):
        """Rejects tokens without this permission. Every token can read public repositories (`metadata`)."""
        token = self.environment.get("GH_TOKEN", "")
        server = self.environment["GITHUB_SERVER_URL"].removeprefix("https://")
        host = self.environment.get("GH_HOST", "github.com")
        if host != server:
            fail(404, f"Not Found: {server} was meant, and {host} was asked")
        if host != "github.com":
            token = self.environment.get("GH_ENTERPRISE_TOKEN", "")
        if not token.startswith("ghs_"):
            fail(401, "Bad credentials")
        granted = ({"metadata": "read"} | json.loads(base64.urlsafe_b64decode(token[4:]))).get(scope, "none")
        if granted != "write" and granted != level:
            fail(403, f"Resource not accessible by integration: {scope}: {level}")

    def answer(self, world, method, path, query, fields):
        """Carries out a request and returns the response, without paginating lists."""

        def one(what, key, value):
            for item in world[what]:
                if str(item[key]) == value:
                    return item
            fail(404, "Not Found")

        if len(fields.get("body", "")) > 65536:
            fail(422, "Validation Failed: body is too long")
        prefix = f"repos/{world['repository']}/"
        for public, tags in world.get("releases", {}).items():
            if path.startswith(f"repos/{public}/commits/"):
                self.permitted("metadata", "read")
                ref = unquote(path.removeprefix(f"repos/{public}/commits/")).removeprefix("tags/")
                if ref not in tags:
                    fail(422, f"No commit found for SHA: {ref}")
                return {"sha": tags[ref]["commit"]}
        if not path.startswith(prefix):
            fail(404, f"Not Found: {path}")
        match method, [unquote(part) for part in path.removeprefix(prefix).split("/")]:
            case "GET", ["issues", number, "comments"]:
                self.permitted("pull-requests", "read")
                return [comment for comment in world["comments"] if comment["on"] == int(number)]
            case "POST", ["issues", number, "comments"]:
                on_pull_request = int(number) in [pull["number"] for pull in world["pulls"]]
                self.permitted("pull-requests" if on_pull_request else "issues", "write")
                if int(number) in world.get("locked", []):
                    fail(403, "Unable to create comment because issue is locked.")
                comment = {"id": 1000 + len(world["comments"]), "on": int(number), "user": BOT, "body": fields["body"]}
                world["comments"].append(comment)
                return comment
            case "PATCH", ["issues", "comments", identity]:
                self.permitted("pull-requests", "write")
                comment = one("comments", "id", identity)
                comment["body"] = fields["body"]
                return comment
            case "GET", ["issues", number, "labels"]:
                self.permitted("pull-requests", "read")
                return [{"name": label} for label in one("pulls", "number", number).get("labels", [])]
            case "POST", ["issues", number, "labels"]:
                self.permitted("pull-requests", "write")
                if fields["labels[]"] not in world["labels"]:
                    self.permitted("issues", "write")
                    world["labels"].append(fields["labels[]"])
                one("pulls", "number", number).setdefault("labels", []).append(fields["labels[]"])
                return []
            case "DELETE", ["issues", number, "labels", label]:
                self.permitted("pull-requests", "write")
                labels = one("pulls", "number", number).get("labels", [])
                if label not in labels:
                    fail(404, "Label does not exist")
                labels.remove(label)
                return []
            case "GET", ["pulls", number]:
                self.permitted("pull-requests", "read")
                return one("pulls", "number", number)
            case "GET", ["issues"]:
                self.permitted("issues", "read")
                creator = query.get("creator")
                return [issue for issue in world["issues"] if issue["state"] == query["state"] and creator in (None, issue["user"]["login"])]
            case "POST", ["issues"]:
                self.permitted("issues", "write")
                issue = {"number": 500 + len(world["issues"]), "user": BOT, "state": "open"} | fields
                world["issues"].append(issue)
                return issue
            case "PATCH", ["issues", number]:
                self.permitted("issues", "write")
                one("issues", "number", number).update(fields)
                return {}
            case "GET", ["commits", commit, "pulls"]:
                self.permitted("pull-requests", "read")
                if world.pop("is_slow", False):  # GitHub hasn't computed the merge commit yet
                    return []
                return [pull for pull in world["pulls"] if commit in (pull["merge_commit_sha"], pull["head"]["sha"])]
            case "GET", ["actions", "workflows", name, "runs"]:
                self.permitted("actions", "read")
                runs = [run for run in reversed(world["runs"]) if run["path"] == f".github/workflows/{name}"]
                for key, of in {"event": "event", "head_sha": "head_sha", "status": "conclusion", "branch": "head_branch"}.items():
                    runs = [run for run in runs if key not in query or run[of] == query[key]]
                return {"total_count": len(runs), "workflow_runs": runs[: int(query.get("per_page", 30))]}
            case "GET", ["actions", "runs", run]:
                self.permitted("actions", "read")
                return one("runs", "id", run)
            case "GET", ["actions", "runs", run, "artifacts"]:
                self.permitted("actions", "read")
                kept = [kept for kept in world["artifacts"] if str(kept["run"]) == run and kept["name"] == query["name"]]
                return {"total_count": len(kept), "artifacts": kept}
            case "GET", ["actions", "artifacts"]:
                self.permitted("actions", "read")
                kept = [kept for kept in world["artifacts"] if kept["name"] == query["name"]]
                for each in kept:
                    run = one("runs", "id", str(each["run"]))
                    ours = run["head_repository"]["full_name"] == world["repository"]
                    each["workflow_run"] = {"id": run["id"], "head_branch": run["head_branch"], "head_sha": run["head_sha"],
                                            "repository_id": 1, "head_repository_id": 1 if ours else 2}
                return [{"total_count": len(kept), "artifacts": kept[start : start + 100]} for start in range(0, len(kept), 100)]
        fail(404, f"Not Found: {method} {path}")

    def download(self, argv):
        """`gh release download`: writes the release files that match a pattern."""
        parser = argparse.ArgumentParser(allow_abbrev=False)
        parser.add_argument("tag")
        for option in ("--repo", "--dir"):
            parser.add_argument(option, required=True)
        parser.add_argument("--pattern", action="append")
        given = parser.parse_args(argv)
        self.permitted("metadata", "read")
        release = self.read().get("releases", {}).get(given.repo, {}).get(given.tag)
        if not release or release["files"] is None:
            sys.exit("release not found")
        found = [Path(file) for file in release["files"] if Path(file).name in given.pattern]
        if not found:
            sys.exit("no assets match the file pattern")
        (self.folder / given.dir).mkdir(parents=True, exist_ok=True)
        for file in found:
            shutil.copy(file, self.folder / given.dir)

    def verify(self, argv):
        """`gh attestation verify`: checks the claims that the release workflow signed for a file's digest."""
        options = ("--repo", "--signer-workflow", "--source-ref", "--source-digest")
        if argv == ["--help"]:
            self.output += "\n".join(options if self.read().get("gh_knows_commits", True) else options[:2]) + "\n"
            return
        parser = argparse.ArgumentParser(allow_abbrev=False)
        parser.add_argument("file")
        for option in options:
            parser.add_argument(option, required=True)
        parser.add_argument("--deny-self-hosted-runners", action="store_true", required=True)
        given = parser.parse_args(argv)
        self.permitted("metadata", "read")
        digest = hashlib.sha256((self.folder / given.file).read_bytes()).hexdigest()
        signed = self.read().get("attestations", {}).get(digest)
        wanted = {key: getattr(given, key) for key in ("repo", "signer_workflow", "source_ref", "source_digest")}
        if signed != wanted:
            sys.exit(f"Error: verifying with issuer: expected {wanted}, got {signed}")

    def read(self):
        with open(self.environment["FAKE_GITHUB"], encoding="utf-8") as file:
            return json.load(file)

    def run(self, argv):
        match argv:
            case ["release", "download", *argv]:
                return self.download(argv)
            case ["attestation", "verify", *argv]:
                return self.verify(argv)
            case ["api", *argv]:
                return self.call(argv)
        sys.exit(f"gh: not known here: {argv}")

    def call(self, argv):
        """`gh api`: handles a request."""
        given = self.arguments(argv)
        query = given["query"]
        world = self.read()
        whole = self.answer(world, given["method"], given["path"], query, given["fields"])
        pages = [whole]
        if isinstance(whole, list):
            size = int(query.get("per_page", 30))
            pages = [whole[start : start + size] for start in range(0, len(whole), size)] or [[]]
            if "actions/artifacts" in given["path"]:  # each page is an object, not a list
                pages = whole or [{"total_count": 0, "artifacts": []}]
            pages = pages if given["paginate"] else pages[:1]
        world["requests"] = world.get("requests", 0) + len(pages)
        with open(self.environment["FAKE_GITHUB"], "w", encoding="utf-8") as file:
            json.dump(world, file, indent=1)
        for page in pages:
            if given["jq"]:
                text = json.dumps(page)
                done = subprocess.run(["jq", "--raw-output", given["jq"]], env=self.environment, input=text, text=True,
                                      capture_output=True, check=False)
                self.output += done.stdout
                if done.returncode:
                    sys.exit(f"gh: jq: {done.stderr}")


class Handler(socketserver.BaseRequestHandler):
    """Receives a call from bin/gh as words that each end with NUL, and answers with the exit code, the error, and the output."""

    def handle(self):
        words = self.words()
        folder, environment, arguments = next(words), self.several(words), self.several(words)
        call = Call(folder, dict(variable.split("=", 1) for variable in environment))
        code, error = 0, ""
        try:
            call.run(arguments)
        except SystemExit as stop:
            code, error = (1, f"{stop.code}\n") if isinstance(stop.code, str) else (stop.code, "")
        self.request.sendall(f"{code}\0{error}\0{call.output}".encode())

    @staticmethod
    def several(words):
        return [next(words) for _ in range(int(next(words)))]

    def words(self):
        received = b""
        while chunk := self.request.recv(1 << 16):
            *words, received = (received + chunk).split(b"\0")
            yield from (word.decode() for word in words)


def start():
    """Starts the server and returns its port. It runs until the process ends."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
