"""Every contract runs twice: on the sandbox in `make test`, and on a real control plane in `make real`."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.real.kit.api import Api
from tests.real.kit.servers import Server, namespace_of, sandbox_server, started_cluster

PLAYS = ("test_faults.py", "test_rights.py")


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from started_cluster(tmp_path_factory.mktemp("control-plane"))


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.real)])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    if request.param == "real":
        yield request.getfixturevalue("real_server")
        return
    async with sandbox_server(tmp_path) as started:
        yield started


@pytest.fixture
async def api(server: Server) -> AsyncIterator[Api]:
    """A namespace on the server."""
    async with namespace_of(server) as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What plays whole stories comes first: one worker plays them in turn, the other one has the short tests meanwhile."""
    items.sort(key=lambda item: item.path.name not in PLAYS)
