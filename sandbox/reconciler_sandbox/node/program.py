"""The programs that containers run beside serving: `curl` really calls, every other command is refused by name.

What another program would do is a row of the table of images (`exits`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp

from reconciler_sandbox.controllers.objects import Manifest
from reconciler_sandbox.node import curl
from reconciler_sandbox.node.environment import command_line
from reconciler_sandbox.node.network import Origin, Resolver
from reconciler_sandbox.node.unsupported import Unsupported

NOT_FOUND = 127
CURL = "curl"
Write = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit code, and why in words when the sandbox itself ended it."""

    code: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a program reaches: the network as its pod sees it, and a place for what it prints."""

    session: aiohttp.ClientSession
    resolver: Resolver
    origin: Origin
    write: Write


def is_known(container: Manifest) -> bool:
    """Whether a container's first word is a program; its arguments may still turn out to be unsupported."""
    return _name(command_line(container, {})) == CURL


async def run(words: Sequence[str], around: Surroundings) -> Ended:
    """Run a command line to its end; 127 with the reason for anything that is not supported."""
    try:
        if _name(words) != CURL:
            raise Unsupported(f"the program {words[0]!r}" if words else "a container without a command")
        asked = curl.parse(words[1:])
        reply = await curl.call(asked, around.session, around.resolver, around.origin)
    except Unsupported as problem:
        ended = refused(problem)
        around.write(ended.message + "\n")
        return ended
    if reply.printed:
        around.write(reply.printed)
    if reply.error and asked.complains:
        around.write(f"curl: ({reply.code}) {reply.error}\n")
    return Ended(reply.code)


def refused(problem: Unsupported) -> Ended:
    """The end of what the sandbox cannot run."""
    return Ended(NOT_FOUND, f"the sandbox does not support {problem}")


def _name(words: Sequence[str]) -> str:
    return words[0].rpartition("/")[2] if words else ""
