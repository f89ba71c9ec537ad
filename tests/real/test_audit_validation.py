"""What built-in kinds refuse, field by field, in the same words."""

import pytest

from tests.real.kit.api import Api, Json
from tests.real.kit.objects import APPS, config_map, deployment, pod, service

# Plural, group, body → what is wrong with it.
WRONG: tuple[tuple[str, str, Json, str], ...] = (
    ("deployments", APPS, deployment("x", selector={"matchLabels": {"app": "y"}}), "spec.template.metadata.labels: Invalid value: "),
    ("deployments", APPS, deployment("x", replicas=-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
    ("pods", "", pod("x", containers=[]), "spec.containers: Required value"),
    ("pods", "", pod("x", containers=[{"name": "a", "image": "i"}] * 2), 'spec.containers[1].name: Duplicate value: "a"'),
    ("pods", "", pod("x", containers=[{"name": "a"}]), "spec.containers[0].image: Required value"),
    ("services", "", service("x", ports=[]), "spec.ports: Required value"),
    ("services", "", service("x", ports=[{"port": 1, "name": "a"}, {"port": 2}]), "spec.ports[1].name: Required value"),
    ("configmaps", "", config_map("x", {"a b": "1"}), 'data[a b]: Invalid value: "a b": a valid config key'),
)


@pytest.mark.parametrize(("plural", "group", "body", "words"), WRONG)
async def test_what_a_delivery_gets_wrong_is_refused_by_field(api: Api, plural: str, group: str, body: Json, words: str) -> None:
    code, reason, message = (await api("POST", api.ours(plural, group=group), body, dryRun="All")).refusal
    assert (code, reason) == (422, "Invalid") and message.partition(" is invalid: ")[2].startswith(words)


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
