"""curl as check containers use it: its options, its output and its exit codes, against the sandbox's own network."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import aiohttp
from yarl import URL

from reconciler_sandbox.node.network import Origin, Resolver, Unresolved
from reconciler_sandbox.node.shell import Write
from reconciler_sandbox.node.syntax import Unsupported

DEFAULT_TIMEOUT = 120.0
TRANSIENT = {408, 429, 500, 502, 503, 504}
SHORT = {
    "f": "--fail",
    "s": "--silent",
    "S": "--show-error",
    "H": "--header",
    "X": "--request",
    "m": "--max-time",
    "o": "--output",
    "w": "--write-out",
    "d": "--data",
    "I": "--head",
    "A": "--user-agent",
    "L": "--location",
    "k": "--insecure",
    "i": "--include",
}
FLAGS = {
    "--fail",
    "--fail-with-body",
    "--silent",
    "--show-error",
    "--head",
    "--location",
    "--insecure",
    "--include",
    "--retry-all-errors",
    "--retry-connrefused",
    "--no-progress-meter",
}
VALUED = {
    "--header",
    "--request",
    "--max-time",
    "--connect-timeout",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "--output",
    "--write-out",
    "--data",
    "--data-raw",
    "--user-agent",
    "--url",
}
NUMERIC = {"--max-time", "--connect-timeout", "--retry", "--retry-delay", "--retry-max-time"}


@dataclass(frozen=True, slots=True)
class Options:
    """What one curl command asks for."""

    url: str = ""
    flags: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def timeout(self) -> float:
        """The longest a whole request may take, in seconds."""
        return float(self.values.get("--max-time", DEFAULT_TIMEOUT))

    @property
    def method(self) -> str:
        """The HTTP method."""
        if "--request" in self.values:
            return self.values["--request"]
        if "--head" in self.flags:
            return "HEAD"
        return "POST" if self.body is not None else "GET"

    @property
    def body(self) -> str | None:
        """What to send."""
        return self.values.get("--data", self.values.get("--data-raw"))


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, or none: `code` is curl's exit code so far, `status` 0 when no answer came."""

    code: int
    status: int = 0
    body: bytes = b""
    headers: str = ""
    error: str = ""
    seconds: float = 0.0


def options_of(arguments: Sequence[str]) -> Options:
    """Read curl's arguments. Raises Unsupported with the option the sandbox does not know."""
    options = Options()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        for name, attached in _names(word):
            options = _with(options, name, attached, rest)
    if not options.url:
        raise Unsupported("curl without a URL")
    return options


def _names(word: str) -> list[tuple[str, str | None]]:
    """The long names of the options in one argument, with an attached value; an argument that is no option is a URL."""
    if word.startswith("--"):
        return [(word, None)]
    if not word.startswith("-") or word == "-":
        return [("--url", word)]
    found: list[tuple[str, str | None]] = []
    for index, letter in enumerate(word[1:], start=2):
        name = SHORT.get(letter)
        if name is None:
            raise Unsupported(f"curl -{letter}")
        if name in VALUED:
            return [*found, (name, word[index:] or None)]
        found.append((name, None))
    return found


def _with(options: Options, name: str, attached: str | None, rest: list[str]) -> Options:
    if name in FLAGS:
        return replace(options, flags=options.flags | {name})
    if name not in VALUED:
        raise Unsupported(f"curl {name}")
    if attached is None and not rest:
        raise Unsupported(f"curl {name} without a value")
    value = attached if attached is not None else rest.pop(0)
    if name == "--url":
        if options.url:
            raise Unsupported("curl with several URLs")
        return replace(options, url=value if "://" in value else f"http://{value}")
    if name == "--header":
        field_name, _, text = value.partition(":")
        return replace(options, headers=(*options.headers, (field_name.strip(), text.strip())))
    if name in NUMERIC and not value.replace(".", "", 1).isdigit():
        raise Unsupported(f"curl {name} {value}")
    if value.startswith("@") and name in {"--data", "--header"}:
        raise Unsupported(f"curl {name} {value}")
    return replace(options, values={**options.values, name: value})


class Curl:
    """Runs curl commands for one pod."""

    def __init__(self, session: aiohttp.ClientSession, resolver: Resolver, origin: Origin, retry_pause: float, complain: Write) -> None:
        """`complain` takes what curl prints to its standard error."""
        self._complain = complain
        self._session = session
        self._resolver = resolver
        self._origin = origin
        self._retry_pause = retry_pause

    async def __call__(self, arguments: Sequence[str], write: Write) -> int:
        """Run one command and give its exit code."""
        options = options_of(arguments)
        reply = await self._with_retries(options)
        _print(options, reply, write)
        if reply.error and ("--silent" not in options.flags or "--show-error" in options.flags):
            self._complain(f"curl: ({reply.code}) {reply.error}\n")
        return reply.code

    async def _with_retries(self, options: Options) -> Reply:
        retries = int(options.values.get("--retry", "0"))
        reply = await self._once(options)
        for attempt in range(retries):
            if not _is_transient(options, reply):
                break
            await asyncio.sleep(float(options.values.get("--retry-delay", 0)) or self._retry_pause * 2**attempt)
            reply = await self._once(options)
        return reply

    async def _once(self, options: Options) -> Reply:
        url = URL(options.url)
        if url.scheme != "http":
            raise Unsupported(f"curl with {url.scheme or 'no scheme'}:// URLs")
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(options.timeout):
                reply = await self._send(options, url)
        except TimeoutError:
            reply = Reply(28, error=f"Operation timed out after {options.timeout:g} seconds")
        except Unresolved:
            reply = Reply(6, error=f"Could not resolve host: {url.host}")
        except (aiohttp.ClientConnectorError, ConnectionRefusedError) as error:
            reply = Reply(7, error=f"Failed to connect to {url.host} port {url.port}: {error}")
        except aiohttp.ServerDisconnectedError:
            reply = Reply(52, error="Empty reply from server")
        except (aiohttp.ClientError, OSError) as error:
            reply = Reply(56, error=f"Recv failure: {error}")
        return replace(reply, seconds=loop.time() - started)

    async def _send(self, options: Options, url: URL) -> Reply:
        host, port = await self._resolver.resolve(url.host or "", url.port or 80, self._origin)
        authority = self._resolver.authority(url.host or "", self._origin)
        if url.explicit_port not in (None, 80):
            authority += f":{url.explicit_port}"
        headers = {
            "Host": authority,
            "User-Agent": "curl/8.0",
            "Accept": "*/*",
        }
        if options.body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if "--user-agent" in options.values:
            headers["User-Agent"] = options.values["--user-agent"]
        for name, text in options.headers:
            headers = {known: value for known, value in headers.items() if known.lower() != name.lower()} | {name: text}
        target = url.with_host(host).with_port(port)
        request = self._session.request(
            options.method, target, headers=headers, data=options.body, allow_redirects="--location" in options.flags
        )
        async with request as response:
            body = await response.read()
            lines = [f"HTTP/1.1 {response.status} {response.reason}", *(f"{name}: {text}" for name, text in response.headers.items())]
            failed = response.status >= 400 and bool(options.flags & {"--fail", "--fail-with-body"})
            error = f"The requested URL returned error: {response.status}" if failed else ""
            return Reply(22 if failed else 0, response.status, body, "\n".join(lines) + "\n\n", error)


def _is_transient(options: Options, reply: Reply) -> bool:
    if reply.code == 28 or reply.status in TRANSIENT:
        return True
    if reply.code == 7:
        return bool(options.flags & {"--retry-connrefused", "--retry-all-errors"})
    return reply.code != 0 and "--retry-all-errors" in options.flags


def _print(options: Options, reply: Reply, write: Write) -> None:
    shown = reply.status and (reply.code == 0 or "--fail-with-body" in options.flags)
    if shown and "--output" not in options.values:
        heading = reply.headers if options.flags & {"--include", "--head"} else ""
        write(heading + reply.body.decode(errors="replace"))
    if "--write-out" in options.values:
        write(written_out(options.values["--write-out"], options, reply))


def written_out(template: str, options: Options, reply: Reply) -> str:
    """The text of `-w`. Raises Unsupported for an unknown variable."""
    text = template.replace("\\n", "\n").replace("\\t", "\t")
    known = {
        "http_code": f"{reply.status:03d}",
        "response_code": f"{reply.status:03d}",
        "time_total": f"{reply.seconds:.6f}",
        "size_download": str(len(reply.body)),
        "url": options.url,
        "url_effective": options.url,
        "exitcode": str(reply.code),
        "errormsg": reply.error,
    }
    for name, value in known.items():
        text = text.replace(f"%{{{name}}}", value)
    if "%{" in text:
        raise Unsupported(f"curl -w {text[text.index('%{') :].split('}')[0]}}}")
    return text.replace("%%", "%")
