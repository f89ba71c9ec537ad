"""Where branches stand: one protocol-v2 `ls-refs` over a kept-open connection, or `git ls-remote` for servers without it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from reconciler.git.command import GitCall, Runner
from reconciler.git.environment import Remote
from reconciler.git.errors import RepositoryGone, Unauthorized, Unreachable, redact
from reconciler.git.objects import Oid
from reconciler.kernel.errors import Terminal, Transient

SECONDS = 20.0
LARGEST_ANSWER = 1 << 20
FORBIDDEN = ("..", "@{", "//", "/.", ".lock/", "\\", "~", "^", ":", "?", "*", "[", " ")
FLUSH = b"0000"


def ref_of(branch: str) -> str:
    """The full name of a branch's ref. Raises Terminal for names git does not allow (git check-ref-format)."""
    bad_end = branch.endswith(("/", ".", ".lock"))
    bad_start = branch.startswith(("-", "/", "."))
    if not branch or bad_start or bad_end or not branch.isprintable() or any(sign in branch for sign in FORBIDDEN):
        raise Terminal(f"{branch!r} is no branch name; write it as `git branch` shows it")
    return f"refs/heads/{branch}"


class RemoteRefs:
    """Asks remotes for branches; remembers which of them do not speak protocol v2."""

    def __init__(self, http: httpx.AsyncClient, runner: Runner) -> None:
        self._http = http
        self._runner = runner
        self._without_v2: set[str] = set()

    async def head_of(self, remote: Remote, branch: str) -> Oid | None:
        """The commit a branch points to, None when there is no such branch. Raises what `git.errors` names."""
        ref = ref_of(branch)
        if remote.scheme in ("http", "https") and remote.url not in self._without_v2:
            answer = await self._ask(remote, ref)
            refs = parse_refs(answer)
            if refs is not None:
                return refs.get(ref)
            if not answer:
                self._without_v2.add(remote.url)
        return await self._ls_remote(remote, ref)

    async def _ask(self, remote: Remote, ref: str) -> bytes:
        status, answer = await self._post(remote, ref)
        if status == 401:
            # The file may have been rotated between our reading and the server's: read it again, once.
            status, answer = await self._post(remote, ref)
        if status == 401:
            raise Unauthorized(f"{redact(remote.url)}: the credential was refused; check `credentials`")
        return answer

    async def _post(self, remote: Remote, ref: str) -> tuple[int, bytes]:
        credential = remote.credential()
        headers = {
            "Git-Protocol": "version=2",
            "Content-Type": "application/x-git-upload-pack-request",
            "Accept": "application/x-git-upload-pack-result",
            **({"Authorization": credential.basic} if credential else {}),
        }
        address = remote.url.rstrip("/") + "/git-upload-pack"
        try:
            async with self._http.stream("POST", address, content=question(ref), headers=headers, timeout=SECONDS) as response:
                _judge(response, remote)
                return response.status_code, await _bounded(response)
        except httpx.TransportError as error:
            raise Unreachable(f"{redact(remote.url)}: {type(error).__name__}: no answer") from error

    async def _ls_remote(self, remote: Remote, ref: str) -> Oid | None:
        # `--heads` is what makes the server send branches only; the pattern is matched on our side, by its tail.
        call = GitCall(("ls-remote", "--heads", "--", remote.url, ref), remote=remote, seconds=SECONDS * 3)
        lines = (await self._runner.output(call)).decode(errors="replace").splitlines()
        found = {name: oid for oid, _, name in (line.partition("\t") for line in lines)}
        return found.get(ref)


def question(ref: str) -> bytes:
    """The body of one ls-refs request (gitprotocol-v2)."""
    lines = (b"command=ls-refs\n", b"agent=reconciler\n", b"object-format=sha1\n")
    arguments = (f"ref-prefix {ref}\n".encode(),)
    return b"".join(map(_packet, lines)) + b"0001" + b"".join(map(_packet, arguments)) + FLUSH


def parse_refs(answer: bytes) -> dict[str, Oid] | None:
    """The refs of an ls-refs answer by full name; None when it is not one (no flush packet: the server has no v2)."""
    refs: dict[str, Oid] = {}
    for packet in _packets(answer):
        if packet is None:
            return refs
        oid, _, rest = packet.decode(errors="replace").strip().partition(" ")
        if len(oid) not in (40, 64) or not rest:
            return None
        refs[rest.split(" ")[0]] = oid
    return None


def _packet(line: bytes) -> bytes:
    return b"%04x" % (len(line) + 4) + line


def _packets(answer: bytes) -> Iterator[bytes | None]:
    """The payload of each packet, None for the flush; ends without one where the answer makes no sense."""
    position = 0
    while position + 4 <= len(answer):
        head = answer[position : position + 4]
        if head == FLUSH:
            yield None
            return
        try:
            length = int(head, 16)
        except ValueError:
            return
        if length < 4 or position + length > len(answer):
            return
        yield answer[position + 4 : position + length]
        position += length


def _judge(response: httpx.Response, remote: Remote) -> None:
    where, status = redact(remote.url), response.status_code
    if status == 403:
        raise Unauthorized(f"{where}: access is forbidden; give the credential read access")
    if status == 404:
        raise RepositoryGone(f"{where}: no such repository, or no access to it; check the address and `credentials`")
    if status in (429, 503):
        raise Transient(f"{where}: the server asks us to wait (HTTP {status})", retry_after(response.headers.get("Retry-After", "")))
    if status >= 500:
        raise Unreachable(f"{where}: HTTP {status}")
    if 300 <= status < 400:
        raise Terminal(f"{where}: the repository moved; write its new address")


def retry_after(value: str) -> float | None:
    """The seconds that a Retry-After header asks for, given as a number or a date (RFC 9110)."""
    if value.isdigit():
        return float(value)
    try:
        wanted = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = wanted if wanted.tzinfo else wanted.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


async def _bounded(response: httpx.Response) -> bytes:
    """The body, empty for statuses that carry none we understand. Raises Unreachable beyond 1 MiB."""
    if response.status_code != 200:
        return b""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise Unreachable("an answer to ls-refs larger than 1 MiB is not trusted")
    return body
