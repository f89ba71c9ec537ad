"""Runs a container's command line for real, if it is one the sandbox can interpret: curl, small commands, or a shell script of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler_sandbox.controllers.objects import Manifest
from reconciler_sandbox.node.commands import BUILT_IN
from reconciler_sandbox.node.curl import Curl
from reconciler_sandbox.node.environment import command_line
from reconciler_sandbox.node.shell import Command, Exited, Shell, Write
from reconciler_sandbox.node.syntax import Unsupported

NOT_INTERPRETABLE = 127
SHELLS = {"sh", "bash", "ash", "dash"}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit code, and why in words when the sandbox itself ended it."""

    code: int
    message: str = ""


def can_interpret(container: Manifest) -> bool:
    """Whether a container's first word is one the sandbox knows; the rest may still turn out to be unsupported."""
    words = command_line(container, {})
    return bool(words) and words[0].rsplit("/", 1)[-1] in {"curl", "exit", *SHELLS, *BUILT_IN}


class Caller:
    """Runs one command line; what it prints goes to `write`."""

    def __init__(self, curl: Curl, write: Write) -> None:
        self._commands: Mapping[str, Command] = {**BUILT_IN, "curl": curl}
        self._write = write

    async def run(self, words: Sequence[str], variables: Mapping[str, str]) -> Ended:
        """Run to the end; 127 with the reason for anything that cannot be interpreted."""
        try:
            return Ended(await self._run(words, variables))
        except Unsupported as problem:
            message = f"the sandbox does not support {problem}"
            self._write(message + "\n")
            return Ended(NOT_INTERPRETABLE, message)

    async def _run(self, words: Sequence[str], variables: Mapping[str, str]) -> int:
        if not words:
            raise Unsupported("a container without a command")
        name, *arguments = words
        shell = Shell(self._commands, dict(variables), self._write)
        if name.rsplit("/", 1)[-1] in SHELLS:
            return await shell.run(script_of(arguments))
        try:
            return await shell.command(name, arguments)
        except Exited as ended:
            return ended.code


def script_of(arguments: Sequence[str]) -> str:
    """The script of `sh -c SCRIPT`; flags like `-e` become a `set` in front of it."""
    flags = ""
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        flags += rest.pop(0).lstrip("-")
    if "c" not in flags or len(rest) != 1:
        raise Unsupported(f"sh {' '.join(arguments)[:80]}: only sh -c SCRIPT")
    others = flags.replace("c", "")
    return f"set -{others}\n{rest[0]}" if others else rest[0]
