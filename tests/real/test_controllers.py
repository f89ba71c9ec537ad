"""What people and we see of a cluster's own controllers, with the sandbox's node running the pods (reference 4)."""

import re
from collections.abc import AsyncIterator

import pytest
from reconciler_sandbox.cluster import Workings
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.network import Network
from reconciler_sandbox.node.node import NodeSettings

from tests.kit.sandbox import QUICK
from tests.real.kit.api import Api, Json
from tests.real.kit.objects import APPS, deployment, service
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server

IMAGES = {
    "web:1": Behaviour("v1"),
    "web:2": Behaviour("v2"),
    "works:1": Behaviour("works", exits=0),
    "fails:1": Behaviour("fails", exits=3),
}


@pytest.fixture(autouse=True)
async def node(server: Server, api: Api) -> AsyncIterator[Workings]:
    """Pods run; a server without controllers is given the sandbox's."""
    settings = NodeSettings(behaviours=Behaviours(IMAGES), network=Network(masked=True), pace=QUICK)
    async with (
        caller(server) as call,
        Workings(call, settings, controllers=server.sandbox is not None) as workings,
    ):
        yield workings


def complete(found: Json) -> bool:
    """Rolled out, as `kubectl rollout status` sees it."""
    status, wanted = found.get("status") or {}, found["spec"]["replicas"]
    if status.get("observedGeneration", 0) < found["metadata"]["generation"]:
        return False
    return all(status.get(name, 0) == wanted for name in ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"))


async def rolled_out(api: Api, body: Json) -> Json:
    await api.made(api.ours("deployments", group=APPS), body)
    return await api.until(api.ours("deployments", body["metadata"]["name"], group=APPS), complete)


async def replica_sets(api: Api) -> list[Json]:
    return list((await api("GET", api.ours("replicasets", group=APPS))).document["items"])


def condition(found: Json, name: str) -> tuple[str, str]:
    return next((one["status"], one["reason"]) for one in found["status"]["conditions"] if one["type"] == name)


async def test_a_deployment_makes_a_replica_set_and_its_pods(api: Api) -> None:
    found = await rolled_out(api, deployment("web", replicas=2, image="web:1"))
    [owned] = await replica_sets(api)
    label = owned["metadata"]["labels"]["pod-template-hash"]
    assert owned["metadata"]["name"] == f"web-{label}"
    assert owned["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": label}
    [owner] = owned["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"], owner["blockOwnerDeletion"]) == ("Deployment", "web", True, True)
    annotations = owned["metadata"]["annotations"]
    assert annotations["deployment.kubernetes.io/revision"] == found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    assert annotations["deployment.kubernetes.io/desired-replicas"] == "2"
    assert annotations["deployment.kubernetes.io/max-replicas"] == "3"
    names = (await api("GET", api.ours("pods"))).names
    assert len(names) == 2 and all(re.fullmatch(rf"web-{label}-[a-z0-9]{{5}}", name) for name in names)
    assert condition(found, "Available") == ("True", "MinimumReplicasAvailable")
    assert condition(found, "Progressing") == ("True", "NewReplicaSetAvailable")


async def test_a_new_image_rolls_without_a_gap(api: Api) -> None:
    path = api.ours("deployments", "web", group=APPS)
    await rolled_out(api, deployment("web", replicas=3, image="web:1"))
    start = (await api("GET", api.ours("replicasets", group=APPS))).version
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:2"}]}}}}
    await api.patch(path, patch, "strategic")
    await api.until(path, lambda found: complete(found) and found["metadata"]["generation"] == 2)
    sizes = {one["spec"]["template"]["spec"]["containers"][0]["image"]: one["spec"]["replicas"] for one in await replica_sets(api)}
    assert sizes == {"web:1": 0, "web:2": 3}
    steps: dict[str, list[int]] = {"web:1": [], "web:2": []}
    async with api.watch(api.ours("replicasets", group=APPS), resourceVersion=start) as watch:
        while steps["web:1"][-1:] != [0] or steps["web:2"][-1:] != [3]:
            _, changed = await watch.next()
            wanted = steps[changed["spec"]["template"]["spec"]["containers"][0]["image"]]
            if changed["spec"]["replicas"] not in (wanted[-1:] or [3 if wanted is steps["web:1"] else 0]):
                wanted.append(changed["spec"]["replicas"])
    assert steps == {"web:1": [2, 1, 0], "web:2": [1, 2, 3]}


async def test_going_back_takes_the_old_replica_set_again(api: Api) -> None:
    path = api.ours("deployments", "web", group=APPS)
    await rolled_out(api, deployment("web", replicas=1, image="web:1"))
    for generation, image in ((2, "web:2"), (3, "web:1")):
        patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}
        await api.patch(path, patch, "strategic")
        await api.until(path, lambda found, wanted=generation: complete(found) and found["metadata"]["generation"] == wanted)
    revisions = {
        one["spec"]["template"]["spec"]["containers"][0]["image"]: one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        for one in await replica_sets(api)
    }
    assert revisions == {"web:1": "3", "web:2": "2"}


async def test_an_image_that_cannot_be_pulled_stops_the_rollout(api: Api) -> None:
    path = api.ours("deployments", "web", group=APPS)
    await rolled_out(api, deployment("web", replicas=2, image="web:1", progressDeadlineSeconds=2))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "nobody:9"}]}}}}
    await api.patch(path, patch, "strategic")
    found = await api.until(path, lambda found: condition(found, "Progressing") == ("False", "ProgressDeadlineExceeded"))
    assert condition(found, "Available") == ("True", "MinimumReplicasAvailable")
    assert found["status"]["availableReplicas"] == 2


async def test_ready_pods_are_endpoints(api: Api) -> None:
    await api.made(api.ours("services"), service("web", selector={"app": "web"}))
    await rolled_out(api, deployment("web", replicas=2, image="web:1"))
    endpoints = api.ours("endpoints", "web")
    found = await api.until(endpoints, lambda found: len((found.get("subsets") or [{}])[0].get("addresses") or ()) == 2)
    [subset] = found["subsets"]
    pods = {item["metadata"]["name"]: item["status"]["podIP"] for item in (await api("GET", api.ours("pods"))).document["items"]}
    assert {address["targetRef"]["name"]: address["ip"] for address in subset["addresses"]} == pods
    assert [address["ip"] for address in subset["addresses"]] == sorted(pods.values())
    assert subset["ports"] == [{"port": 80, "protocol": "TCP"}]
    await api.patch(api.ours("deployments", "web", group=APPS), {"spec": {"replicas": 0}})
    await api.until(endpoints, lambda found: not found.get("subsets"))


def job(name: str, image: str, **spec: object) -> Json:
    template = {"spec": {"containers": [{"name": "check", "image": image}], "restartPolicy": "Never"}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template, **spec}}


async def test_a_job_completes(api: Api) -> None:
    made = await api.made(api.ours("jobs", group="batch/v1"), job("check", "works:1"))
    assert (made["spec"]["parallelism"], made["spec"]["completions"], made["spec"]["backoffLimit"]) == (1, 1, 6)
    found = await api.until(
        api.ours("jobs", "check", group="batch/v1"),
        lambda found: any(one["type"] == "Complete" and one["status"] == "True" for one in found["status"].get("conditions") or ()),
    )
    assert found["status"]["succeeded"] == 1 and found["status"]["startTime"] and found["status"]["completionTime"]
    assert not found["status"].get("active")


async def test_a_job_that_fails_too_often_has_failed(api: Api) -> None:
    await api.made(api.ours("jobs", group="batch/v1"), job("check", "fails:1", backoffLimit=0))
    found = await api.until(
        api.ours("jobs", "check", group="batch/v1"),
        lambda found: any(one["type"] == "Failed" for one in found["status"].get("conditions") or ()),
    )
    [failed] = [one for one in found["status"]["conditions"] if one["type"] == "Failed"]
    assert (failed["reason"], failed["message"]) == ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
    assert found["status"]["failed"] == 1


async def test_a_deployment_takes_everything_along(api: Api) -> None:
    await rolled_out(api, deployment("web", replicas=1, image="web:1"))
    [pod] = (await api("GET", api.ours("pods"))).names
    await api("DELETE", api.ours("deployments", "web", group=APPS), {"propagationPolicy": "Background"})
    await api.gone(api.ours("pods", pod))
    assert await replica_sets(api) == []


async def test_the_steps_of_a_rollout_are_events(api: Api) -> None:
    await rolled_out(api, deployment("web", replicas=2, image="web:1"))
    [owned] = await replica_sets(api)
    events = (await api("GET", api.ours("events"), fieldSelector="involvedObject.kind=Deployment")).document["items"]
    assert [(one["reason"], one["message"], one["type"]) for one in events] == [
        ("ScalingReplicaSet", f"Scaled up replica set {owned['metadata']['name']} from 0 to 2", "Normal")
    ]
    made = (await api("GET", api.ours("events"), fieldSelector="involvedObject.kind=ReplicaSet")).document["items"]
    assert sorted(one["message"] for one in made) == sorted(f"Created pod: {name}" for name in (await api("GET", api.ours("pods"))).names)
