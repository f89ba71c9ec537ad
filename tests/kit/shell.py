"""Our own command line, run in process beside a cluster on loopback."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from reconciler.app.cli.main import run
from reconciler.kube.client import Client
from tests.kit.clusters import Api, api

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        """What it printed, which has to be one JSON document and nothing else."""
        return json.loads(self.output)


class Shell:
    """Types commands. The cluster lives in a thread of its own, because each command runs its own event loop."""

    def __init__(self, kubeconfig: Path, loop: asyncio.AbstractEventLoop, cluster: Api, capsys: pytest.CaptureFixture[str]) -> None:
        self.kubeconfig = kubeconfig
        self._loop = loop
        self.cluster = cluster
        self._capsys = capsys

    def __call__(self, *arguments: str, cluster: bool = True) -> Ended:
        where = ("--kubeconfig", str(self.kubeconfig)) if cluster else ()
        self._capsys.readouterr()
        code = run([*arguments, *where])
        said = self._capsys.readouterr()
        return Ended(code, said.out, said.err)

    def ask(self, question: Callable[[Client], Coroutine[Any, Any, Answer]]) -> Answer:
        """Ask or tell the cluster something behind the command line's back."""
        return asyncio.run_coroutine_threadsafe(question(self.cluster.client), self._loop).result(20)


@contextmanager
def shell(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """A cluster over HTTP, its kubeconfig, and a command line."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    context = api(listening=True)
    cluster = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(20)
    try:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(cluster.server.kubeconfig())
        yield Shell(kubeconfig, loop, cluster, capsys)
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def nowhere(folder: Path) -> Path:
    """The kubeconfig of a cluster that does not answer."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:9"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "users": [{"name": "x", "user": {}}],
    }
    file = folder / "nowhere"
    file.write_text(yaml.safe_dump(document))
    return file
