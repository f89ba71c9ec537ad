"""Label and field selectors: what they find, and the words for what they cannot."""

import pytest

from tests.real.kit.api import Api
from tests.real.kit.objects import config_map

FOUND = {
    "app=web": "a", "app = web": "a", "app!=web": "bc", "app in(web, api)": "ab", "app notin (web)": "bc", "n>4": "a", "n<4": "",
    "app in ()": "", "app in (,)": "", "app=": "", "app!=": "abc", "! app": "c", "app,n": "a", "in": "",
}  # fmt: skip
REFUSED = ("=web", "app=web,", "app=a b", "app in web", "app in (web", "app===web", "-a", "app=a/b")
FIELDS = {
    "metadata.name=a": "a", "metadata.name==a": "a", "metadata.name!=a": "bc", "metadata.name=a,metadata.name=b": "",
    "metadata.name=a,": "a",
    r"metadata.name=a\,b": "", "metadata.namespace=elsewhere": "",
}  # fmt: skip
FIELDS_REFUSED = {
    "metadata.name": "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
    "metadata.name>a": "invalid selector: 'metadata.name>a'; can't understand 'metadata.name>a'",
    "metadata.name=a=b": "invalid field selector: unescaped character in value: 61",
    "=a": '"" is not a known field selector: only "metadata.name", "metadata.namespace"',
    "data.x=1": '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
}
OURS = "owner=ours"


@pytest.fixture
async def listed(api: Api) -> Api:
    for name, labels in (("a", {"app": "web", "n": "5"}), ("b", {"app": "api"}), ("c", {})):
        await api.made(api.ours("configmaps"), config_map(name, labels={**labels, "owner": "ours"}))
    return api


async def test_label_selectors_find_what_they_say(listed: Api) -> None:
    found = {text: "".join((await listed("GET", listed.ours("configmaps"), labelSelector=f"{OURS},{text}")).names) for text in FOUND}
    assert found == FOUND


async def test_broken_label_selectors_are_refused(api: Api) -> None:
    for text in REFUSED:
        assert (await api("GET", api.ours("configmaps"), labelSelector=text)).refusal[:2] == (400, "BadRequest"), text


async def test_field_selectors_find_what_they_say(listed: Api) -> None:
    found = {
        text: "".join((await listed("GET", listed.ours("configmaps"), labelSelector=OURS, fieldSelector=text)).names) for text in FIELDS
    }
    assert found == FIELDS


async def test_broken_field_selectors_are_told(api: Api) -> None:
    for text, words in FIELDS_REFUSED.items():
        assert (await api("GET", api.ours("configmaps"), fieldSelector=text)).refusal == (400, "BadRequest", words), text


@pytest.mark.parametrize(
    ("path", "selector", "words"),
    [
        ("/api/v1/pods", "spec.foo=1", "field label not supported: spec.foo"),
        ("/api/v1/nodes", "metadata.namespace=x", "field label not supported: metadata.namespace"),
        ("/api/v1/secrets", "x.y=1", "field label not supported: x.y"),
        ("/apis/apps/v1/deployments", "status.replicas=1", '"status.replicas" is not a known field selector'),
        ("/apis/apps/v1/replicasets", "status.replicas=1", '"status.replicas" is not a known field selector'),
        ("/apis/batch/v1/jobs", "x.y=1", 'field label "x.y" not supported for '),
    ],
)
async def test_a_kind_knows_its_fields(api: Api, path: str, selector: str, words: str) -> None:
    code, reason, message = (await api("GET", path, fieldSelector=selector)).refusal
    assert (code, reason) == (400, "BadRequest") and message.startswith(words)


@pytest.mark.parametrize(
    ("path", "selector"),
    [
        ("/api/v1/pods", "spec.nodeName=x,status.phase=Running,spec.restartPolicy=Always,spec.schedulerName=x"),
        ("/api/v1/pods", "spec.serviceAccountName=x,status.podIP=1,status.nominatedNodeName=x"),
        ("/api/v1/nodes", "spec.unschedulable=true"),
        ("/api/v1/namespaces", "status.phase=Nope"),
        ("/api/v1/secrets", "type=nope"),
        ("/apis/batch/v1/jobs", "status.successful=77"),
        ("/api/v1/events", "involvedObject.name=x,involvedObject.fieldPath=y,reason=z,type=Normal,source=s"),
    ],
)
async def test_each_field_of_a_kind_can_be_asked_for(api: Api, path: str, selector: str) -> None:
    assert (await api("GET", path, fieldSelector=selector)).names == []
