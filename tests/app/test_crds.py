"""The definitions of our kinds: as generated, small, and accepted by an API server."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from reconciler.app.crds import custom_resources
from reconciler.kernel import resources
from reconciler.kernel.identity import ObjectRef
from tests.kit.clusters import NAMESPACE, api

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOYED = sorted((ROOT / "deploy" / "crds").glob("*.yaml"))
LIMIT = 200_000
"""`kubectl apply` keeps the whole object in an annotation, which the server limits to 256 KiB."""


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


async def test_an_api_server_serves_them_and_keeps_every_field() -> None:
    async with api() as cluster:
        spec = {"replicas": 3, "strategy": {"canary": {"steps": [{"setWeight": 20}]}}, "unheardOf": {"deep": [1]}}
        metadata = {"name": "web", "namespace": NAMESPACE}
        manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec}
        made = await cluster.client.create(resources.ROLLOUTS, manifest)
        assert made["spec"] == spec
        scaled = await cluster.client.patch(ObjectRef(resources.ROLLOUTS, NAMESPACE, "web"), {"spec": {"replicas": 5}}, subresource="scale")
        assert scaled["spec"]["replicas"] == 5
