"""A real Git server on loopback: smart HTTP through `git http-backend`, with passwords and with faults on demand."""

import base64
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

BACKEND = Path(subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()) / "git-http-backend"


@dataclass
class Answer:
    """A fixed answer instead of git's."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Host(http.server.ThreadingHTTPServer):
    """Serves the bare repositories below one folder.

    `users` maps names to passwords; nobody else may enter where it is not empty. `writers` are the same for pushes.
    """

    daemon_threads = True
    # Errors of clients that are gone are not our test's business.
    request_queue_size = 64

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = root
        self.users: dict[str, str] = {}
        self.writers: dict[str, str] = {}
        self.faults: list[Answer] = []
        self.without_v2 = False
        self.loses_answers_to_pushes = False
        self.stall = threading.Event()
        self.stalled = threading.Event()
        self.stalling = False
        self.requests: list[str] = []

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def handle_error(self, request: object, client_address: object) -> None:
        return


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Host

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self._body()
        self.server.requests.append(f"{self.command} {self.path}")
        if self.server.stalling:
            self.server.stalled.set()
            self.server.stall.wait(30)
        if self.server.faults:
            return self._answer(self.server.faults.pop(0))
        if not self._known():
            return self._answer(Answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"who are you?\n"))
        answer = self._git(body)
        lost = self.server.loses_answers_to_pushes and self.path.endswith("/git-receive-pack")
        return self._answer(Answer(502) if lost else answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _known(self) -> bool:
        known = self.server.writers if "git-receive-pack" in self.path and self.server.writers else self.server.users
        if not known:
            return True
        sent = self.headers.get("Authorization", "").removeprefix("Basic ")
        return sent in {base64.b64encode(f"{name}:{password}".encode()).decode() for name, password in known.items()}

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _git(self, body: bytes) -> Answer:
        done = subprocess.run([str(BACKEND)], input=body, env=self._environment(len(body)), capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split()[0])
        return Answer(status, headers, content)

    def _environment(self, length: int) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        version = "" if self.server.without_v2 else self.headers.get("Git-Protocol", "")
        return {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": unquote(path),
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "REMOTE_USER": "test",
            "REMOTE_ADDR": "127.0.0.1",
            "GIT_PROTOCOL": version,
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }


@contextmanager
def serve(root: Path) -> Iterator[Host]:
    """A running host; every connection is closed at the end."""
    host = Host(root)
    thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.stall.set()
        host.shutdown()
        thread.join()
        host.server_close()
