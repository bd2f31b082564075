"""Runs `rolecall sandbox` on a free port, with direct access to its state."""

import json
import subprocess
import time
from urllib.request import Request, urlopen


class Pylon:
    def __init__(self, folder, binary, organization):
        self.state = folder / "pylon.json"
        self.state.write_text(json.dumps(organization))
        self.process = subprocess.Popen(
            [binary, "sandbox", "--limits", "off", "--state", self.state],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        lines = [self.process.stdout.readline().strip().removeprefix("export ").split("=", 1) for _ in range(2)]
        self.environment = dict(lines)
        self.url, self.token = self.environment["PYLON_BASE_URL"], self.environment["PYLON_API_TOKEN"]

    def ask(self, method, path, body=None):
        request = Request(self.url + path, method=method, data=json.dumps(body).encode() if body else None)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def people(self):
        """Maps each address to its role and status."""
        return {user["email"]: (user["roles"][0]["slug"], user["status"]) for user in self.ask("GET", "/users")["data"]}

    def role_id(self, slug):
        return next(role["id"] for role in self.ask("GET", "/user-roles")["data"] if role["slug"] == slug)

    def by_hand(self, email, role):
        user = next(user for user in self.ask("GET", "/users")["data"] if user["email"] == email)
        self.ask("PATCH", f"/users/{user['id']}", {"role_id": self.role_id(role)})

    def patches(self):
        """Returns the number of changes so far, after waiting for the sandbox to save them."""
        time.sleep(0.3)
        return len(json.loads(self.state.read_text()).get("audit", []))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
