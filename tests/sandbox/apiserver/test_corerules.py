"""What the kinds beside workloads insist on; the table is held to a real server in tests/real."""

import base64
from typing import Any

import pytest
from reconciler_sandbox.apiserver import corerules
from reconciler_sandbox.apiserver.defaults import fill
from reconciler_sandbox.apiserver.kinds import BUILT_IN
from reconciler_sandbox.apiserver.validation import validate

from tests.real.kit.invalid import OTHERS

Json = dict[str, Any]


@pytest.mark.parametrize(("plural", "group", "body", "words"), OTHERS)
def test_an_object_is_refused_by_field(plural: str, group: str, body: Json, words: str) -> None:
    kind = next(one for one in BUILT_IN if one.plural == plural and one.group == group.partition("/")[0] * bool(group))
    whole = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "x"}, **body}
    found = [str(cause) for cause in validate(kind, fill(kind, whole), None)]
    assert (found[0] if len(found) == 1 else f"[{', '.join(found)}]").startswith(words)


def secret(kind: str, **content: str) -> Json:
    return {
        "metadata": {"name": "s"},
        "type": kind,
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in content.items()},
    }


def test_a_pull_secret_holds_json() -> None:
    kind = "kubernetes.io/dockerconfigjson"
    assert corerules.secret(secret(kind, **{".dockerconfigjson": "{}"}), None) == []
    [cause] = corerules.secret(secret(kind, **{".dockerconfigjson": "x"}), None)
    assert "redacted" in str(cause) and "eA==" not in str(cause)


def test_credentials_have_a_name_or_a_password() -> None:
    assert corerules.secret(secret("kubernetes.io/basic-auth", username="u"), None) == []
    assert len(corerules.secret(secret("kubernetes.io/basic-auth"), None)) == 2


def test_the_type_of_a_secret_never_changes() -> None:
    assert [cause.field for cause in corerules.secret(secret("a"), secret("b"))] == ["type"]


def test_ports_of_a_service_are_told_apart() -> None:
    ports = [{"name": "a", "port": 1, "targetPort": 1, "protocol": "TCP"}, {"name": "b", "port": 1, "targetPort": 2, "protocol": "TCP"}]
    assert [cause.field for cause in corerules.service({"spec": {"ports": ports}}, None)] == ["spec.ports[1]"]


def test_a_binding_is_for_one_role_for_ever() -> None:
    before = {"kind": "RoleBinding", "roleRef": {"kind": "Role", "name": "a"}}
    assert corerules.binding(before, before) == []
    after = {"kind": "RoleBinding", "roleRef": {"kind": "Role", "name": "b"}}
    assert [str(cause).rpartition(": ")[2] for cause in corerules.binding(after, before)] == ["cannot change roleRef"]


def test_addresses_are_addresses_those_of_this_machine_too() -> None:
    def subsets(address: str) -> Json:
        return {"subsets": [{"addresses": [{"ip": address}], "ports": [{"port": 80}]}]}

    assert corerules.endpoints(subsets("127.0.0.9"), None) == corerules.endpoints(subsets("::1"), None) == []
    assert [cause.field for cause in corerules.endpoints(subsets("nowhere"), None)] == ["subsets[0].addresses[0].ip"]


def test_revisions_hold_data_that_never_change() -> None:
    assert [cause.field for cause in corerules.revision({"data": {"a": 1}}, {"data": {"a": 2}})] == ["data"]


def test_a_cluster_role_may_be_about_paths() -> None:
    rule = {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}
    assert corerules.cluster_role(rule, None) == [] and len(corerules.role(rule, None)) == 1
