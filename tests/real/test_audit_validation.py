"""What built-in kinds refuse, field by field, in the same words."""

from typing import Any

import pytest

from tests.real.kit.api import Api, Json
from tests.real.kit.invalid import CONTAINERS, DEPLOYMENTS, OTHERS, POD_SPECS, with_container, with_pod, with_spec
from tests.real.kit.objects import APPS, config_map, deployment, service


async def complaint(api: Api, path: str, body: Json) -> str:
    """What is wrong with an object, without its name in front."""
    code, reason, message = (await api("POST", path, body, dryRun="All")).refusal
    assert (code, reason) == (422, "Invalid"), message
    return message.partition(" is invalid: ")[2]


@pytest.mark.parametrize(
    ("build", "table", "path"),
    [
        (with_container, CONTAINERS, "spec.template.spec.containers[0]."),
        (with_pod, POD_SPECS, "spec.template.spec."),
        (with_spec, DEPLOYMENTS, "spec."),
    ],
    ids=["container", "pod", "deployment"],
)
async def test_a_deployment_is_refused_by_field(api: Api, build: Any, table: Any, path: str) -> None:
    for fields, words in table:
        found = await complaint(api, api.ours("deployments", group=APPS), build(**fields))
        assert found.startswith(path + words), fields


async def test_other_kinds_are_refused_by_field(api: Api) -> None:
    for plural, group, body, words in OTHERS:
        found = await complaint(api, api.ours(plural, group=group), {"metadata": {"name": "x"}, **body})
        assert found.startswith(words), (plural, body)


async def test_several_mistakes_are_all_told(api: Api) -> None:
    container = {"ports": [{"containerPort": 0, "name": "A_B"}], "env": [{"value": "x"}]}
    code, _, message = (await api("POST", api.ours("deployments", group=APPS), with_container(**container))).refusal
    assert code == 422 and message.startswith('Deployment.apps "x" is invalid: [spec.template.spec.containers[0].')
    for words in ("ports[0].containerPort: Required value", "env[0].name: Required value", "ports[0].name: Invalid value"):
        assert words in message


async def test_the_counts_of_a_status_fit_together(api: Api) -> None:
    path = api.ours("deployments", "web", group=APPS) + "/status"
    await api.made(api.ours("deployments", group=APPS), deployment("web", paused=True))
    reply = await api.patch(path, {"status": {"replicas": 1, "readyReplicas": 2}})
    words = "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"
    assert reply.refusal[0] == 422 and words in reply.refusal[2]
    assert (await api.patch(path, {"status": {"replicas": -1}})).refusal[0] == 422


async def test_what_is_immutable_stays_so(api: Api) -> None:
    await api.made(api.ours("configmaps"), {**config_map("a", {"x": "1"}), "immutable": True})
    path = api.ours("configmaps", "a")
    for patch, field in (({"data": {"x": "2"}}, "data"), ({"immutable": False}, "immutable"), ({"immutable": None}, "immutable")):
        code, _, message = (await api.patch(path, patch)).refusal
        assert code == 422 and f"{field}: Forbidden: field is immutable when `immutable` is set" in message
    assert (await api.patch(path, {"metadata": {"labels": {"a": "b"}}})).status == 200


async def test_what_is_for_ever(api: Api) -> None:
    group = "rbac.authorization.k8s.io/v1"
    await api.made(api.ours("rolebindings", group=group), {"metadata": {"name": "r"}, "roleRef": {"kind": "Role", "name": "a"}})
    reply = await api.patch(api.ours("rolebindings", "r", group=group), {"roleRef": {"name": "b"}})
    assert reply.refusal[0] == 422 and "cannot change roleRef" in reply.refusal[2]
    await api.made(api.ours("secrets"), {"metadata": {"name": "s"}})
    reply = await api.patch(api.ours("secrets", "s"), {"type": "other"})
    assert reply.refusal[0] == 422 and "type: Invalid value" in reply.refusal[2]


async def test_volumes_and_handlers_are_filled_in(api: Api) -> None:
    body = with_pod(volumes=[{"name": "scratch"}])
    body["spec"]["template"]["spec"]["containers"][0]["lifecycle"] = {"preStop": {"httpGet": {"port": 80}}}
    spec = (await api.made(api.ours("deployments", group=APPS), body))["spec"]["template"]["spec"]
    assert spec["volumes"] == [{"name": "scratch", "emptyDir": {}}]
    assert spec["containers"][0]["lifecycle"] == {"preStop": {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}}}


async def test_a_replaced_job_keeps_its_own_selector(api: Api) -> None:
    """What was generated once is not generated again: a Job written anew without it is refused."""
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}
    body: Json = {"metadata": {"name": "j"}, "spec": {"parallelism": 0, "template": template}}
    made = await api.made(api.ours("jobs", group="batch/v1"), body)
    labels = made["spec"]["template"]["metadata"]["labels"]
    assert labels["job-name"] == "j" and made["metadata"]["labels"] == labels
    reply = await api("PUT", api.ours("jobs", "j", group="batch/v1"), body)
    assert reply.refusal[:2] == (422, "Invalid") and "field is immutable" in reply.refusal[2]


async def test_a_service_keeps_its_address(api: Api) -> None:
    made = await api.made(api.ours("services"), service("s"))
    changed = {**made, "spec": {**made["spec"], "clusterIP": "10.200.0.77", "clusterIPs": ["10.200.0.77"]}}
    reply = await api("PUT", api.ours("services", "s"), changed)
    assert reply.refusal[:2] == (422, "Invalid")
