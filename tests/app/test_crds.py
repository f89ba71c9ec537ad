"""The definitions of our kinds: as generated, small, and accepted by an API server."""

import json
import re
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from reconciler_sandbox.client import Call

from reconciler.app.crd_schemas import ANYTHING
from reconciler.app.crds import custom_resources
from reconciler.kernel import resources
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kube.errors import Refused
from tests.app.lint.test_examples import EXAMPLES
from tests.kit.clusters import NAMESPACE, api
from tests.kit.mutated import EXISTING, FULL
from tests.kit.rollouts import template
from tests.kit.tables import table

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOYED = sorted((ROOT / "deploy" / "crds").glob("*.yaml"))
LIMIT = 262_144
"""`kubectl apply` keeps the whole object in an annotation, and a server takes no more than 256 KiB of these."""


def generator() -> ModuleType:
    spec = spec_from_file_location("generate_crds", ROOT / "scripts" / "generate_crds.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named(kind: str) -> dict[str, Any]:
    return next(m for m in custom_resources() if m["spec"]["names"]["kind"] == kind)


def test_what_is_deployed_is_what_the_code_says() -> None:
    assert {path.name: path.read_text() for path in DEPLOYED} == generator().rendered(), "run scripts/generate_crds.py"


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: path.name)
def test_each_is_small_enough_for_a_plain_apply(path: Path) -> None:
    assert path.stat().st_size < LIMIT
    assert yaml.safe_load(path.read_text())["kind"] == "CustomResourceDefinition"


def test_every_kind_that_we_serve_is_defined_once() -> None:
    served = {r.kind for r in vars(resources).values() if getattr(r, "group", "") in ("argoproj.io", "reconciler.dev")}
    assert sorted(m["spec"]["names"]["kind"] for m in custom_resources()) == sorted(served)


def test_rollouts_have_the_subresources_that_autoscalers_and_verbs_use() -> None:
    (version,) = named("Rollout")["spec"]["versions"]
    assert version["subresources"]["status"] == {}
    assert version["subresources"]["scale"]["statusReplicasPath"] == ".status.HPAReplicas"


def test_analysis_runs_are_written_whole() -> None:
    (version,) = named("AnalysisRun")["spec"]["versions"]
    assert "subresources" not in version


async def test_an_api_server_serves_the_scale_of_a_rollout() -> None:
    async with api() as cluster:
        made = await cluster.client.create(resources.ROLLOUTS, of_people(FULL))
        assert made["spec"]["replicas"] == 4
        scaled = await cluster.client.patch(ObjectRef(resources.ROLLOUTS, NAMESPACE, "web"), {"spec": {"replicas": 5}}, subresource="scale")
        assert scaled["spec"]["replicas"] == 5


# -- schemas ----------------------------------------------------------------------------------------------------------


def of_people(manifest: Manifest, **spec: Any) -> Manifest:
    """As a person applies it."""
    metadata = {"name": manifest["metadata"]["name"], "namespace": NAMESPACE}
    return {**manifest, "metadata": metadata, "spec": {**manifest["spec"], **spec}}


ARGO = [m["spec"]["names"]["kind"] for m in custom_resources() if m["spec"]["group"] == "argoproj.io"]
RESOURCES = {resource.kind: resource for resource in vars(resources).values() if getattr(resource, "group", "") == "argoproj.io"}
KEPT = [
    *(document for document in EXISTING if document["kind"] in RESOURCES),
    *(m for text in EXAMPLES.values() for m in yaml.safe_load_all(text) if m["kind"] in RESOURCES),
]


def nodes(schema: Manifest, path: str) -> Iterator[tuple[str, Manifest]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    for word in ("items", "additionalProperties"):
        if word in schema:
            yield from nodes(schema[word], f"{path}[]")


@pytest.mark.parametrize("kind", ARGO)
def test_every_schema_is_structural(kind: str) -> None:
    """What a server asks for: every value has a type, or says that it may be anything or a number or text; a list has items."""
    (version,) = named(kind)["spec"]["versions"]
    found = list(nodes(version["schema"]["openAPIV3Schema"], kind))
    kinds = [("type" in node) + ("x-kubernetes-int-or-string" in node) + (node == ANYTHING) for _, node in found]
    assert [path for (path, _), count in zip(found, kinds, strict=True) if count != 1] == []
    assert all("items" in node for _, node in found if node.get("type") == "array") and len(found) > 1000


@pytest.mark.parametrize("manifest", KEPT, ids=lambda manifest: manifest["kind"])
async def test_an_api_server_keeps_every_field_that_people_write(manifest: Manifest) -> None:
    async with api() as cluster:
        made = await cluster.client.create(RESOURCES[manifest["kind"]], of_people(manifest))
        assert made["spec"] == manifest["spec"]


def test_every_field_of_the_contract_is_in_the_schema_of_a_rollout() -> None:
    (version,) = named("Rollout")["spec"]["versions"]
    known = {path.rpartition(".")[2].removesuffix("[]") for path, _ in nodes(version["schema"]["openAPIV3Schema"], "Rollout")}
    rows = [row for section in ("1.1", "1.2", "1.3", "3.2") for row in table(section, "Field")]
    asked = {word for row in rows for text in re.findall(r"`([^`]+)`", row["Field"]) for word in re.findall(r"[A-Za-z]+", text)}
    assert len(asked) > 80 and asked - known == {"Pods", "Percent"}  # values of `type`


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"replcas": 3}, "spec.replcas"),
        ({"strategy": {"canary": {"steps": [{"setWheight": 20}]}}}, "spec.strategy.canary.steps[0].setWheight"),
    ],
)
async def test_a_field_that_there_is_not_is_told_by_kubectl_and_pruned(spec: Manifest, place: str) -> None:
    body = json.dumps(of_people(FULL, **spec)).encode()
    path = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/rollouts"
    async with api() as cluster:
        strict = await cluster.server.call(Call("POST", path, {"fieldValidation": "Strict"}, {}, body))
        assert strict.status == 400 and f'unknown field \\"{place}\\"'.encode() in bytes(strict.body)  # type: ignore[arg-type]
        made = await cluster.client.create(resources.ROLLOUTS, of_people(FULL, **spec))
        assert place.rpartition(".")[2] not in str(made["spec"])


@pytest.mark.parametrize("spec", [{"replicas": "3"}, {"strategy": {"canary": {"steps": [{"setWeight": "20"}]}}}, {"restartAt": 5}])
async def test_a_value_of_another_type_is_refused_where_it_is_written(spec: Manifest) -> None:
    async with api() as cluster:
        with pytest.raises(Refused, match=r"spec\..*must be of type"):
            await cluster.client.create(resources.ROLLOUTS, of_people(FULL, **spec))


async def test_what_only_a_newer_kubernetes_or_a_newer_reference_knows_is_kept() -> None:
    manifest = of_people(FULL)
    manifest["spec"]["template"] = {**template(), "spec": {**template()["spec"], "newInKubernetes": {"deep": [1]}}}
    async with api() as cluster:
        made = await cluster.client.create(resources.ROLLOUTS, manifest)
        assert made["spec"]["template"]["spec"]["newInKubernetes"] == {"deep": [1]}
        where = ObjectRef(resources.ROLLOUTS, NAMESPACE, "web")
        noted = await cluster.client.patch(where, {"status": {"newThere": 1, "canary": {"newToo": "x"}}}, subresource="status")
        assert noted["status"] == {"newThere": 1, "canary": {"newToo": "x"}}


async def test_a_router_and_a_provider_that_there_are_not_stay_to_be_refused_by_name() -> None:
    async with api() as cluster:
        spec = {"strategy": {"canary": {"trafficRouting": {"newRouter": {"x": 1}}}}}
        made = await cluster.client.create(resources.ROLLOUTS, of_people(FULL, **spec))
        assert made["spec"]["strategy"] == spec["strategy"]
        metrics = [{"name": "m", "provider": {"newProvider": {"query": "x"}}}]
        run = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": "r"}, "spec": {"metrics": metrics}}
        assert (await cluster.client.create(resources.ANALYSIS_RUNS, of_people(run)))["spec"]["metrics"] == metrics
