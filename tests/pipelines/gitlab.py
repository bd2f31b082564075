"""A minimal GitLab that selects jobs in examples/ci/gitlab-ci.yml by their rules and runs them with `sh` and a fake API."""

import json
import os
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import yaml

TOKEN = "glpat-a-token"
PROJECT = "77"


class GitLab:
    """A project's state in the API."""

    def __init__(self, folder, project, binary, pylon):
        self.folder, self.binary, self.pylon = folder, binary, pylon
        self.document = yaml.safe_load((project / "examples/ci/gitlab-ci.yml").read_text())
        self.notes, self.requests, self.pipelines, self.artifacts = [], {}, [], {}
        # Newest first, each with the `applied.txt` that it saved.
        self.successful, self.applied = [], {}
        api = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                url = urlsplit(self.path)
                query = {key: values[-1] for key, values in parse_qs(url.query).items()}
                known = self.headers.get("PRIVATE-TOKEN") == TOKEN
                status, given = api.answer(self.command, url.path, query, body) if known else (401, {})
                self.send_response(status)
                self.end_headers()
                self.wfile.write(given if isinstance(given, bytes) else json.dumps(given).encode())

            do_GET = do_POST = do_PUT = handle_one

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, method, path, query, body):
        if path == "/user":
            return 200, {"id": 3}
        match method, path.removeprefix(f"/projects/{PROJECT}/").split("/"):
            case "GET", ["merge_requests", "7", "notes"]:
                size, page = int(query["per_page"]), int(query["page"])
                return 200, self.notes[size * (page - 1) : size * page]
            case "POST", ["merge_requests", "7", "notes"]:
                self.notes.append({"id": len(self.notes), "author": {"id": 3}} | body)
                return 201, {}
            case "PUT", ["merge_requests", "7", "notes", note]:
                self.notes[int(note)] |= body
                return 200, {}
            case "GET", ["repository", "commits", commit, "merge_requests"]:
                return 200, self.requests.get(commit, [])
            case "GET", ["merge_requests", "7", "pipelines"]:
                return 200, self.pipelines
            case "GET", ["pipelines", pipeline, "jobs"]:
                return 200, [{"id": int(pipeline) * 10 + 1, "name": "rolecall check"}, {"id": int(pipeline) * 10, "name": "rolecall plan"}]
            case "GET", ["jobs"]:
                size, page = int(query["per_page"]), int(query["page"])
                return 200, self.successful[size * (page - 1) : size * page]
            case "GET", ["jobs", job, "artifacts", "applied.txt"]:
                kept = self.applied.get(int(job))
                return (200, kept) if kept else (404, {})
            case "GET", ["jobs", job, "artifacts", "plan.json"]:
                kept = self.artifacts.get(int(job))
                return (200, kept) if kept else (404, {})
        return 404, {}

    def jobs(self, variables):
        """Lists the names of the jobs whose rules match."""
        named = {name: job for name, job in self.document.items() if isinstance(job, dict) and "script" in job}
        return [name for name, job in named.items() if any(holds(rule["if"], variables) for rule in job["rules"])]

    def run(self, name, workspace, variables):
        """Runs one job and returns its exit code and log."""
        job = self.document[name]
        hidden = self.document[job["extends"]]
        bins = self.folder / "bin"
        bins.mkdir(exist_ok=True)
        if not (bins / "rolecall").exists():
            (bins / "rolecall").symlink_to(self.binary)
        script = "set -e\n" + "\n".join(hidden["before_script"] + job["script"]) + "\n"
        environment = {
            "PATH": os.pathsep.join([str(bins), str(Path(__file__).parent / "bin"), os.environ["PATH"]]), "REAL_PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "no_proxy": "127.0.0.1",
            "CI_API_V4_URL": self.url, "CI_PROJECT_ID": PROJECT, "CI_PROJECT_DIR": str(workspace), "CI_JOB_URL": "https://gitlab.example.com/job",
            "CI_DEFAULT_BRANCH": "main", "ROLECALL_GITLAB_TOKEN": TOKEN,
        } | self.pylon.environment | self.document["variables"] | variables
        done = subprocess.run(["sh", "-c", script], cwd=workspace, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    def stop(self):
        self.server.shutdown()


def holds(text, variables):
    """Evaluates a rule's `if`, which consists of comparisons joined by `&&`."""

    def value(word):
        return variables.get(word[1:]) if word.startswith("$") else word.strip('"')

    for part in text.split("&&"):
        left, operator, right = part.split()
        if operator == "=~":
            if not re.search(right.strip("/"), value(left) or ""):
                return False
        elif (value(left) == value(right)) != (operator == "=="):
            return False
    return True


def clone(origin, workspace):
    """Clones a git repository into a new folder."""
    shutil.rmtree(workspace, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", str(origin), str(workspace)], check=True, capture_output=True)
    return Path(workspace)
