"""Runs git in a child process with an environment of its own: nothing of the person's configuration leaks in."""

import asyncio
import os
import signal
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 60.0


class GitFailed(Exception):
    """git ended with an exit code that nobody expected, or not in time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one git command left: exit code and both streams."""

    code: int
    output: bytes
    errors: bytes

    @property
    def text(self) -> str:
        return self.output.decode(errors="replace").strip()


def environment() -> dict[str, str]:
    """The whole environment of a git process: no system or user configuration, every folder trusted, messages in English."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_TERMINAL_PROMPT": "0",
    }


async def git(
    folder: Path,
    *arguments: str,
    stdin: bytes = b"",
    expected: Collection[int] = (0,),
    variables: Mapping[str, str] | None = None,
) -> Outcome:
    """Run one git command inside `folder`; an exit code outside `expected`, or more than 60 s, is GitFailed."""
    child = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        cwd=folder,
        env={**environment(), **(variables or {})},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, errors = await asyncio.wait_for(child.communicate(stdin), TIMEOUT)
    except TimeoutError as error:
        raise GitFailed(f"git {arguments[0]} in {folder}: no end after {TIMEOUT:g} s") from error
    finally:
        await end(child)
    outcome = Outcome(child.returncode or 0, output, errors)
    if outcome.code not in expected:
        raise GitFailed(f"git {arguments[0]} in {folder} ended with {outcome.code}: {errors.decode(errors='replace').strip()}")
    return outcome


async def end(child: asyncio.subprocess.Process) -> None:
    """Kill a child that still runs, with its children, and wait for it."""
    if child.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.wait()
