"""curl as check containers use it: its usual options, its output and its exit codes, against the sandbox's own network."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import aiohttp
from yarl import URL

from reconciler_sandbox.node.network import Origin, Resolver, Unresolved
from reconciler_sandbox.node.unsupported import Unsupported

DEFAULT_SECONDS = 120.0
SHORT: Mapping[str, str] = {
    "f": "--fail",
    "s": "--silent",
    "S": "--show-error",
    "H": "--header",
    "m": "--max-time",
    "o": "--output",
}
FLAGS = frozenset({"--fail", "--silent", "--show-error"})
VALUED = frozenset({"--header", "--max-time", "--output", "--url"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What one command asks for."""

    url: str = ""
    flags: frozenset[str] = frozenset()
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = DEFAULT_SECONDS
    prints: bool = True

    @property
    def complains(self) -> bool:
        """Whether it says what went wrong."""
        return "--silent" not in self.flags or "--show-error" in self.flags


@dataclass(frozen=True, slots=True)
class Reply:
    """How it ended: curl's exit code, what it prints, and what it would complain of."""

    code: int
    printed: str = ""
    error: str = ""


def parse(arguments: Sequence[str]) -> Asked:
    """Read curl's arguments. Raises Unsupported with the option the sandbox does not know."""
    asked, rest = Asked(), list(arguments)
    while rest:
        for name, attached in _options(rest.pop(0)):
            if name in FLAGS:
                asked = replace(asked, flags=asked.flags | {name})
                continue
            if name not in VALUED:
                raise Unsupported(f"curl {name}")
            if attached is None and not rest:
                raise Unsupported(f"curl {name} without a value")
            asked = _with(asked, name, attached if attached is not None else rest.pop(0))
    if not asked.url:
        raise Unsupported("curl without a URL")
    return asked


def _options(word: str) -> list[tuple[str, str | None]]:
    """The long names of the options in one argument, with an attached value; an argument that is no option is a URL."""
    if word.startswith("--"):
        return [(word, None)]
    if not word.startswith("-") or word == "-":
        return [("--url", word)]
    found: list[tuple[str, str | None]] = []
    for index, letter in enumerate(word[1:], start=2):
        name = SHORT.get(letter, f"-{letter}")
        if name in VALUED:
            return [*found, (name, word[index:] or None)]
        found.append((name, None))
    return found


def _with(asked: Asked, name: str, value: str) -> Asked:
    match name:
        case "--url" if asked.url:
            raise Unsupported("curl with several URLs")
        case "--url":
            return replace(asked, url=value if "://" in value else f"http://{value}")
        case "--header":
            field, _, text = value.partition(":")
            return replace(asked, headers=(*asked.headers, (field.strip(), text.strip())))
        case "--max-time" if value.replace(".", "", 1).isdigit():
            return replace(asked, seconds=float(value))
        case "--output":
            return replace(asked, prints=False)
    raise Unsupported(f"curl {name} {value}")


async def call(asked: Asked, session: aiohttp.ClientSession, resolver: Resolver, origin: Origin) -> Reply:
    """Make the call from a pod. Raises Unsupported for other schemes than http."""
    url = URL(asked.url)
    if url.scheme != "http":
        raise Unsupported(f"curl with {url.scheme or 'no scheme'}:// URLs")
    try:
        async with asyncio.timeout(asked.seconds):
            place = await resolver.resolve(url.host or "", url.port or 80, origin)
            return await _send(asked, url.with_host(place[0]).with_port(place[1]), session, _host(url, resolver, origin))
    except TimeoutError:
        return Reply(28, error=f"Operation timed out after {asked.seconds:g} seconds")
    except Unresolved:
        return Reply(6, error=f"Could not resolve host: {url.host}")
    except (aiohttp.ClientConnectorError, ConnectionRefusedError) as error:
        return Reply(7, error=f"Failed to connect to {url.host} port {url.port}: {error}")
    except aiohttp.ServerDisconnectedError:
        return Reply(52, error="Empty reply from server")
    except (aiohttp.ClientError, OSError) as error:
        return Reply(56, error=f"Recv failure: {error}")


def _host(url: URL, resolver: Resolver, origin: Origin) -> str:
    """The Host header of a call."""
    port = "" if url.explicit_port in (None, 80) else f":{url.explicit_port}"
    return resolver.authority(url.host or "", origin) + port


async def _send(asked: Asked, target: URL, session: aiohttp.ClientSession, authority: str) -> Reply:
    headers = {"Host": authority, "User-Agent": "curl/8.0", "Accept": "*/*"}
    for name, text in asked.headers:
        headers = {known: value for known, value in headers.items() if known.lower() != name.lower()} | {name: text}
    async with session.get(target, headers=headers, allow_redirects=False) as response:
        body = await response.read()
    if response.status >= 400 and "--fail" in asked.flags:
        return Reply(22, error=f"The requested URL returned error: {response.status}")
    return Reply(0, body.decode(errors="replace") if asked.prints else "")
