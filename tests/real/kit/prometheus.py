"""A real Prometheus on loopback, beside the sandbox's answers to the same questions."""

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.real.kit.program import Program, answers, free_port

READY_SECONDS = 60.0
Json = dict[str, Any]


class RealPrometheus:
    """One server; `targets` (host:port) are scraped each second at /metrics."""

    def __init__(self, program: Path, folder: Path, targets: tuple[str, ...] = ()) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        scrape = {"job_name": "sandbox", "scrape_interval": "1s", "scrape_timeout": "1s", "static_configs": [{"targets": list(targets)}]}
        (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": [scrape] if targets else []}), encoding="utf-8")
        words = [
            str(program),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--web.enable-remote-write-receiver",
        ]
        self._program = Program(words, folder / "prometheus.log")

    def start(self) -> None:
        self._program.start()
        self._program.until(lambda: answers(f"{self.url}/-/ready"), READY_SECONDS)

    def stop(self) -> None:
        self._program.stop()

    def write(self, body: bytes) -> None:
        """Store samples by remote write."""
        headers = {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/api/v1/write", body, headers), timeout=10) as response:
            assert response.status == 204, response.read()

    def ask(self, path: str, **parameters: str) -> Json:
        return ask(self.url, path, **parameters)


def ask(url: str, path: str, **parameters: str) -> Json:
    """The document that a Prometheus answers, refusals included."""
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{path}", urllib.parse.urlencode(parameters).encode(), timeout=10) as response:
            return dict(json.load(response))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return dict(json.load(refusal))
