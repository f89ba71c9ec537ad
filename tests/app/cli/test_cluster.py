"""What every command shares: a client for its time and kubectl's options."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler.app.cli.cluster import ClusterPlace, KeptResponse, SecretsOnce, ask
from reconciler.kernel.resources import NAMESPACES
from reconciler.kube.transport import Request, Response
from tests.kit.shell import Shell


def test_a_question_is_answered_by_the_cluster_of_the_kubeconfig(sh: Shell) -> None:
    names = [m["metadata"]["name"] for m in ask(ClusterPlace(str(sh.kubeconfig)), lambda client: client.list(NAMESPACES))]
    assert "shop" in names


class Counting:
    """A server that answers each request with its number."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[str] = []

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        self.asked.append(f"{request.method} {request.path}")
        yield KeptResponse(self.status, {}, str(len(self.asked)).encode())


SECRET = "/api/v1/namespaces/shop/secrets/kept"


async def read(transport: SecretsOnce, method: str, path: str) -> bytes:
    async with transport.open(Request(method, path)) as response:
        return await response.read()


async def test_a_secret_is_read_once_for_a_command_and_nothing_else_is_kept() -> None:
    server = Counting()
    once = SecretsOnce(server)
    assert [await read(once, "GET", SECRET) for _ in range(3)] == [b"1"] * 3
    assert await read(once, "GET", f"{SECRET}-too") == b"2"
    others = [("GET", "/api/v1/namespaces/shop/pods/a"), ("DELETE", SECRET), ("GET", "/api/v1/namespaces/shop/secrets")]
    assert [await read(once, *other) for other in others for _ in range(2)] == [b"3", b"4", b"5", b"6", b"7", b"8"]


async def test_a_secret_that_could_not_be_read_is_asked_for_again() -> None:
    server = Counting(status=403)
    once = SecretsOnce(server)
    assert [await read(once, "GET", SECRET) for _ in range(2)] == [b"1", b"2"]
