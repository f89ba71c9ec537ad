"""The daemon's life: started once, ready, stopped in time or killed, and never missed when it ends by itself."""

import asyncio
import sys
from pathlib import Path

from reconciler_sandbox.rehearsal.daemon import Daemon

from tests.kit.wait import until

SERVER = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *words): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Ready)
open("port", "w").write(str(server.server_address[1]))
print("serving", flush=True)
server.serve_forever()
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def daemon(folder: Path, program: str, url: str = "http://127.0.0.1:9/readyz") -> Daemon:
    return Daemon([sys.executable, "-c", program], folder, url)


async def test_it_is_ready_when_its_address_says_so(tmp_path: Path) -> None:
    first = daemon(tmp_path, SERVER)
    await first.start()
    await until(lambda: (tmp_path / "port").exists() and (tmp_path / "port").read_text())
    other = Daemon([], tmp_path, f"http://127.0.0.1:{(tmp_path / 'port').read_text()}/readyz")
    assert await other.ready() == "ready"
    assert await first.stop() is not None
    assert first.pid is None and not first.failure


async def test_however_many_ask_for_it_there_is_one(tmp_path: Path) -> None:
    one = daemon(tmp_path, SERVER)
    await asyncio.gather(*(one.start() for _ in range(4)))
    await until(lambda: "serving" in one.last_words())
    await one.kill()
    assert one.last_words() == "serving"


async def test_an_end_that_nobody_asked_for_is_a_failure_with_its_last_words(tmp_path: Path) -> None:
    broken = daemon(tmp_path, "raise SystemExit('no settings')")
    await broken.start()
    assert await broken.ready() == "the daemon ended by itself with 1: no settings"


async def test_a_kill_is_no_failure_and_it_may_start_again(tmp_path: Path) -> None:
    one = daemon(tmp_path, SERVER)
    await one.start()
    await one.kill()
    assert one.pid is None and not one.failure
    await one.start()
    assert one.pid is not None
    await one.stop()


async def test_one_that_ignores_sigterm_is_killed_and_that_is_said(tmp_path: Path) -> None:
    deaf = daemon(tmp_path, STUBBORN)
    await deaf.start()
    await until(lambda: "deaf" in deaf.last_words())
    assert await deaf.stop() is None
    assert deaf.pid is None


async def test_stopping_what_never_ran_takes_no_time(tmp_path: Path) -> None:
    assert await daemon(tmp_path, SERVER).stop() == 0.0
