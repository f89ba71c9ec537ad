"""`reconciler console`: serves until it is told to end, on this machine only."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.kit.shell import Shell, nowhere


def test_it_serves_on_loopback_until_it_is_told_to_end(sh: Shell) -> None:
    command = [sys.executable, "-m", "reconciler", "console", "-A", "--port", "0", "--kubeconfig", str(sh.kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        address = line.split()[4]
        assert address.startswith("http://127.0.0.1:")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=20) as answer:
            assert answer.status == 200 and b"all namespaces" in answer.read()
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0


def test_a_port_that_is_taken_is_named_with_what_to_do(sh: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = sh("console", "--port", str(port))
    assert ended.code == 3 and f"port {port} cannot be used" in ended.errors and "--port" in ended.errors


def test_of_a_cluster_that_is_away_nothing_is_written(sh: Shell, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = sh("console", "-A", "--kubeconfig", str(nowhere(tmp_path)), "--export", str(out), cluster=False)
    assert ended.code == 4 and "does not answer" in ended.errors and not out.exists()
