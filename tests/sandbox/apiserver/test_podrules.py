"""What the specification of pods insists on; the same table is held to a real server in tests/real."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.podrules import pod_spec
from reconciler_sandbox.apiserver.templates import pod_spec as filled

from tests.kit.wholepod import JOB_SPEC
from tests.real.kit.invalid import CONTAINERS, POD_SPECS

OF_DEPLOYMENTS = ('restartPolicy: Unsupported value: "Never"', "activeDeadlineSeconds: Forbidden")


def complaints(container: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    containers = [{"name": "main", "image": "i:1", **(container or {})}]
    return [str(cause) for cause in pod_spec(filled({"containers": containers, **fields}), "spec")]


@pytest.mark.parametrize(("fields", "words"), CONTAINERS)
def test_a_container_is_refused_by_field(fields: dict[str, Any], words: str) -> None:
    assert any(text.startswith(f"spec.containers[0].{words}") for text in complaints(fields))


@pytest.mark.parametrize(("fields", "words"), [row for row in POD_SPECS if not row[1].startswith(OF_DEPLOYMENTS)])
def test_a_pod_is_refused_by_field(fields: dict[str, Any], words: str) -> None:
    assert any(text.startswith(f"spec.{words}") for text in complaints(**fields))


def test_a_pod_that_uses_every_field_is_fine() -> None:
    assert pod_spec(filled(JOB_SPEC["template"]["spec"]), "spec") == []


def test_an_unchanged_specification_is_not_looked_at_again() -> None:
    assert pod_spec({"containers": []}, "spec", {"containers": []}) == []
    assert len(pod_spec({"containers": []}, "spec")) == 1


def test_mounts_name_volumes_and_have_places_of_their_own() -> None:
    volumes, mounts = [{"name": "v", "emptyDir": {}}], [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}, {"name": "v"}]
    assert [text.partition(": ")[0] for text in complaints({"volumeMounts": mounts}, volumes=volumes)] == [
        "spec.containers[0].volumeMounts[1].mountPath", "spec.containers[0].volumeMounts[2].mountPath"
    ]  # fmt: skip


def test_labels_and_annotations_of_the_pod_can_be_variables() -> None:
    paths = ("metadata.labels['app']", "metadata.annotations['a']", "status.podIP", "spec.nodeName")
    env = [{"name": f"V{index}", "valueFrom": {"fieldRef": {"fieldPath": path}}} for index, path in enumerate(paths)]
    assert complaints({"env": env}) == []
