"""Commands run to their end, see nothing of the person's environment, and never outlive their parent."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from reconciler_sandbox.rehearsal.child import program, run_command

from reconciler.kernel.errors import Terminal
from tests.kit.wait import until

PARENT = """
import asyncio, sys
from reconciler_sandbox.rehearsal.child import dies_with_parent
async def main():
    child = await asyncio.create_subprocess_exec("sleep", "60", preexec_fn=dies_with_parent())
    print(child.pid, flush=True)
    await child.wait()
asyncio.run(main())
"""


async def test_a_command_says_what_it_printed_and_how_it_ended(tmp_path: Path) -> None:
    ran = await run_command(["sh", "-c", "echo out; echo err >&2; exit 3"], tmp_path)
    assert (ran.code, ran.output) == (3, "out\nerr")


async def test_a_command_sees_nothing_of_the_persons_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example")
    ran = await run_command(["env"], tmp_path)
    assert "HTTP_PROXY" not in ran.output and f"HOME={tmp_path}" in ran.output


async def test_a_cancelled_command_is_gone(tmp_path: Path) -> None:
    task = asyncio.create_task(run_command(["sh", "-c", f"echo $$ > {tmp_path}/pid; sleep 60"], tmp_path))
    await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not alive(int((tmp_path / "pid").read_text()))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children of their parent's end")
async def test_a_child_dies_with_its_parent() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await until(lambda: not alive(pid))
    await parent.stdout.read()


def test_kubectl_is_found_beside_python_and_nothing_else_is_guessed() -> None:
    assert program("reconciler")[0] == sys.executable
    assert program("kubectl")[0].endswith("kubectl")
    with pytest.raises(Terminal, match="not installed"):
        program("no-such-program")


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet waited for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
