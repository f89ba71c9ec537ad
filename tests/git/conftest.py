"""What every test of the hands on Git starts from: one origin, one Git host, one mirror."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from reconciler.git.command import Runner
from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.refs import RemoteRefs
from tests.kit.repositories import Origin
from tests.kit.smarthttp import Host, serve


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    found = Origin(tmp_path / "host" / "shop.git")
    found.commit({"env/web.yaml": "image: web:1\n", "README.md": "hello\n"}, "first")
    return found


@pytest.fixture
def host(origin: Origin) -> Iterator[Host]:
    with serve(origin.path.parent) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path, home: Path) -> Iterator[Mirror]:
    found = Mirror(tmp_path / "mirror.git", remote_of(origin.url), home)
    yield found
    found.close()


@pytest.fixture
async def refs(home: Path) -> AsyncIterator[RemoteRefs]:
    runner = Runner(home, home)
    async with httpx.AsyncClient(trust_env=False) as http:
        yield RemoteRefs(http, runner)
    runner.close()
