"""What only pods that run and a real API server can show of rollouts: borrowed templates, scale, ids, turns, experiments."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef, name_of
from reconciler.kernel.resources import (
    DEPLOYMENTS,
    EXPERIMENTS,
    POD_TEMPLATES,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
    VIRTUAL_SERVICES,
)
from reconciler.kernel.well_known import INSTANCE_ID
from reconciler.kube.client import Client
from tests.kit.experiments import experiment, tried, version
from tests.kit.rollouts import NAMESPACE, canary, deployment, pause, rollout, service, template, virtual_service, weight
from tests.kit.wait import until
from tests.real.kit.ground import PATIENCE
from tests.real.kit.servers import Server
from tests.real.kit.takeover import Takeover, peopled, pressed, reaches, rollout_of, served
from tests.rollouts.traffic.test_ping_pong import beside, strategy

LABELS = {"matchLabels": {"app": "web"}}


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with peopled(server) as made:
        yield made


def bare(manifest: Manifest) -> Manifest:
    """What a person applies: nothing that a server assigns."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in ("uid", "generation")}
    return {**manifest, "metadata": metadata}


async def image(client: Client, tag: str) -> None:
    await pressed(client, {"spec": {"template": {"spec": {"containers": [template(tag)["spec"]["containers"][0]]}}}})


async def resumed(client: Client) -> None:
    await pressed(client, {"status": {"pauseConditions": None}}, subresource="status")


async def size(client: Client) -> int:
    return int((await client.get(DEPLOYMENTS, NAMESPACE, "web"))["spec"]["replicas"])


# -- workloadRef (contract 1.6) ---------------------------------------------------------------------------------------


def borrowing(kind: str, *, replicas: int = 2, **fields: Any) -> Manifest:
    """A rollout whose template is another object's; only a Deployment and a ReplicaSet have a selector to lend."""
    api = "v1" if kind == "PodTemplate" else "apps/v1"
    made = bare(rollout(canary=canary(weight(50), pause()), replicas=replicas))
    del made["spec"]["template"]
    if kind != "PodTemplate":
        del made["spec"]["selector"]
    return {**made, "spec": {**made["spec"], "workloadRef": {"apiVersion": api, "kind": kind, "name": "web", **fields}}}


@pytest.mark.parametrize(("mode", "left"), [("never", 2), ("onsuccess", 0), ("progressively", 0)])
async def test_a_deployment_is_scaled_as_its_mode_says(client: Client, mode: str, left: int) -> None:
    await client.create(DEPLOYMENTS, bare(deployment(replicas=2)))
    await until(lambda: _all_of(client, {"web:1": 2}), PATIENCE)
    async with Takeover(client).at_work():
        await client.create(ROLLOUTS, borrowing("Deployment", scaleDown=mode))
        found = await reaches(client, "Healthy")
        await until(lambda: _scaled_to(client, left), PATIENCE)
        referent = await client.get(DEPLOYMENTS, NAMESPACE, "web")
        assert int(found["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"]) <= referent["metadata"]["generation"]
        body = {"spec": {"template": {"spec": {"containers": [template("web:2")["spec"]["containers"][0]]}}}}
        await client.patch(ObjectRef(DEPLOYMENTS, NAMESPACE, "web"), body)
        await reaches(client, "Paused CanaryPauseStep", revision=2)
        await resumed(client)
        await reaches(client, "Healthy", revision=2)
        assert await size(client) == left


async def _scaled_to(client: Client, replicas: int) -> bool:
    return await size(client) == replicas


async def _all_of(client: Client, wanted: dict[str, int]) -> bool:
    return await served(client) == wanted


@pytest.mark.parametrize("kind", ["ReplicaSet", "PodTemplate"])
async def test_other_workloads_lend_their_template(client: Client, kind: str) -> None:
    lender = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "web", "namespace": NAMESPACE}}
    if kind == "PodTemplate":
        await client.create(POD_TEMPLATES, {**lender, "template": template("web:1")})
    else:
        spec = {"replicas": 0, "selector": LABELS, "template": template("web:1")}
        await client.create(REPLICA_SETS, {**lender, "apiVersion": "apps/v1", "spec": spec})
    async with Takeover(client).at_work():
        await client.create(ROLLOUTS, borrowing(kind))
        found = await reaches(client, "Healthy")
        assert await served(client) == {"web:1": 2}
        assert "template" not in found["spec"], "what is borrowed is never written into the Rollout"


async def _told(client: Client, **wanted: Any) -> bool:
    """The status follows what runs by a pass."""
    status = (await rollout_of(client))["status"]
    return {name: status.get(name) for name in wanted} == wanted


# -- scale (contract 11.4) --------------------------------------------------------------------------------------------


async def test_an_autoscaler_scales_both_sides_while_a_canary_waits(client: Client) -> None:
    """C13, through the scale subresource, which is all that an HPA knows of a Rollout."""
    for name in ("web-canary", "web-stable"):
        await client.create(SERVICES, bare(service(name)))
    await client.create(VIRTUAL_SERVICES, bare(virtual_service()))
    async with Takeover(client).at_work():
        await client.create(ROLLOUTS, bare(rollout(canary=canary(weight(50), pause(), istio=True), replicas=2)))
        await reaches(client, "Healthy")
        await image(client, "web:2")
        await reaches(client, "Paused CanaryPauseStep")
        await pressed(client, {"spec": {"replicas": 4}}, subresource="scale")
        await until(lambda: _all_of(client, {"web:1": 4, "web:2": 2}), PATIENCE)
        await until(lambda: _told(client, HPAReplicas=6, selector="app=web", currentStepIndex=1, phase="Paused"), PATIENCE)
        await pressed(client, {"spec": {"replicas": 2}}, subresource="scale")
        await until(lambda: _all_of(client, {"web:1": 2, "web:2": 1}), PATIENCE)
        await resumed(client)
        await reaches(client, "Healthy")


# -- instance ids (contract 0.3) --------------------------------------------------------------------------------------


async def test_each_instance_drives_the_rollouts_that_name_it_and_no_other(client: Client) -> None:
    mine, others = bare(rollout(canary=canary(), replicas=1)), bare(rollout(canary=canary(), replicas=1, name="other"))
    mine["metadata"]["labels"] = {INSTANCE_ID: "blue"}
    others["spec"] |= {"selector": {"matchLabels": {"app": "other"}}}
    others["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    async with Takeover(client, "blue").at_work():
        for manifest in (others, mine):
            await client.create(ROLLOUTS, manifest)
        await reaches(client, "Healthy")
        assert "status" not in await rollout_of(client, "other")
    async with Takeover(client).at_work():
        await reaches(client, "Healthy", name="other")


# -- ping and pong (contract 13.48), experiments (contract 8.5) -------------------------------------------------------


async def test_turns_flip_once_per_release(client: Client) -> None:
    for resource, manifest in beside():
        await client.create(resource, bare(manifest))
    async with Takeover(client).at_work():
        await client.create(ROLLOUTS, bare(rollout(canary=strategy(weight(50), pause()), replicas=2)))
        await reaches(client, "Healthy")
        for number, turn in ((2, "pong"), (3, "ping")):
            await image(client, f"web:{number}")
            found = await reaches(client, "Paused CanaryPauseStep", revision=number)
            assert found["status"]["canary"]["stablePingPong"] != turn
            await resumed(client)
            found = await reaches(client, "Healthy", revision=number)
            assert found["status"]["canary"]["stablePingPong"] == turn


async def test_an_experiment_step_runs_both_versions_and_goes_on_when_its_time_is_over(client: Client) -> None:
    async with Takeover(client).at_work():
        await client.create(ROLLOUTS, bare(rollout(canary=canary(tried(duration="1s"), weight(50), pause()), replicas=2)))
        await reaches(client, "Healthy")
        await image(client, "web:2")
        found = await reaches(client, "Paused CanaryPauseStep", revision=2)
        [made] = await client.list(EXPERIMENTS, NAMESPACE)
        assert name_of(made) == f"web-{found['status']['currentPodHash']}-2-0" and made["status"]["phase"] == "Successful"
        assert {one["name"] for one in made["status"]["templateStatuses"]} == {"baseline", "canary"}
        assert "currentExperiment" not in found["status"]["canary"]


async def test_an_experiment_of_its_own_ends_and_takes_its_pods_with_it(client: Client) -> None:
    made = bare(experiment(version("one", "web:1"), version("two", "web:2"), duration="1s", scaleDownDelaySeconds=0))
    async with Takeover(client).at_work():
        await client.create(EXPERIMENTS, made)
        await until(lambda: _ended(client, name_of(made)), PATIENCE)
        await until(lambda: _all_of(client, {}), PATIENCE)


async def _ended(client: Client, name: str) -> bool:
    found = await client.get(EXPERIMENTS, NAMESPACE, name)
    return bool((found.get("status") or {}).get("phase") == "Successful")
