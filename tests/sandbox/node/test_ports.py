"""Pods and the machine share no port: whoever listens on `*:8080` neither keeps a pod from starting nor answers for it."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from reconciler_sandbox.node.network import Network, Origin, Resolver
from reconciler_sandbox.podnetwork import PodPorts

from tests.kit.pods import fixed_api, session
from tests.kit.sandbox import running
from tests.kit.wait import until
from tests.kit.workloads import replica_set, template

PODS, REPLICA_SETS = "/api/v1/pods", "/apis/apps/v1/namespaces/shop/replicasets"


@pytest.fixture
def held() -> Iterator[int]:
    """The port of a dev server that listens on `*`: a free one, as tests beside this one serve pods at a fixed port."""
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        yield listener.getsockname()[1]


async def test_a_pod_starts_and_answers_beside_a_wildcard_listener_on_its_port(held: int) -> None:
    async with running() as cluster, session() as client:
        await cluster.api.create(REPLICA_SETS, replica_set(replicas=2, template=template(port=held)))

        async def ready() -> Any:
            pods = await cluster.api.list(PODS)
            return len(pods) == 2 and all(
                status["ready"] for pod in pods for status in pod["status"].get("containerStatuses") or [{"ready": False}]
            )

        await until(ready)
        assert not cluster.node.failure
        for pod in await cluster.api.list(PODS):
            assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
            host, port = cluster.node.where(pod["status"]["podIP"], held)
            assert port != held
            async with client.get(f"http://{host}:{port}/") as response:
                assert (await response.json())["pod"] == pod["metadata"]["name"]


async def test_a_port_that_a_pod_did_not_open_is_closed_whoever_listens_on_the_machines(held: int) -> None:
    ports = PodPorts()
    ports.enter("127.20.0.9")
    resolver = Resolver(fixed_api({}), Network(ports=ports))
    with pytest.raises(ConnectionRefusedError):
        await resolver.resolve("localhost", held, Origin("shop", "127.20.0.9"))
    with pytest.raises(ConnectionRefusedError):
        await resolver.resolve("127.20.0.9", held, Origin("shop", "127.20.0.1"))


def test_a_port_stays_the_same_while_its_pod_is_there_and_is_free_afterwards() -> None:
    ports = PodPorts()
    first = ports.open("127.20.0.9", 80)
    assert (ports.open("127.20.0.9", 80), ports.at("127.20.0.9", 80), ports.at("127.20.0.9", 81)) == (first, first, None)
    ports.leave("127.20.0.9")
    assert ports.at("127.20.0.9", 80) == 80
    with socket.socket() as other:
        other.bind(("127.20.0.9", first))
