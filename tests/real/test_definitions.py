"""The definitions in `deploy/crds/` by a plain `kubectl apply`, with the reference's own there before or after: nothing is lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from reconciler.kernel.identity import Manifest
from tests.kit.granted import DEPLOY
from tests.kit.kubectl import Kubectl, binary
from tests.kit.mutated import FULL
from tests.kit.rollouts import template
from tests.kit.wait import until
from tests.real.kit.ground import PATIENCE
from tests.real.kit.servers import Server

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(not binary(), reason="no kubectl on this machine")]
CRDS = DEPLOY / "crds"
PLACE, ROLLOUTS = "definitions", "rollouts.argoproj.io"
WEB = {**FULL, "metadata": {"name": "web", "namespace": PLACE, "labels": {"app": "web"}}}
COLUMN = "{.spec.versions[0].additionalPrinterColumns[0].name}"
NOTED = '{"status":{"phase":"Healthy","stableRS":"abc","HPAReplicas":4,"selector":"app=web","notedByANewerOne":"x"}}'


def of_somebody_else() -> Manifest:
    """A definition of Rollouts that another tool installed: its own labels, notes and columns, a schema that knows less."""
    found: Manifest = yaml.safe_load((CRDS / f"{ROLLOUTS}.yaml").read_text(encoding="utf-8"))
    (version,) = found["spec"]["versions"]
    found["metadata"] |= {"labels": {"app.kubernetes.io/part-of": "somebody"}, "annotations": {"example.com/made-by": "a generator"}}
    version["additionalPrinterColumns"] = [{"name": "Theirs", "type": "string", "jsonPath": ".status.phase"}]
    open_ = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version["schema"] = {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {"spec": open_, "status": open_}}}
    return found


@pytest.fixture
async def kubectl(server: Server, tmp_path: Path) -> AsyncIterator[Kubectl]:
    """An administrator's kubectl; definitions belong to the whole server, so what was there goes before the test."""
    if server.sandbox is None and server.real is None:
        pytest.skip("the cluster is not ours to disturb")
    home = tmp_path / "home"
    home.mkdir()
    (home / "config").write_text(server.kubeconfig.read_text(encoding="utf-8"), encoding="utf-8")
    made = Kubectl(home)
    await _without_definitions(made)
    await until(lambda: _no_place(made), PATIENCE)
    await made("apply -f -", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLACE}})
    yield made
    await made(f"delete namespace {PLACE} --wait=false --ignore-not-found")
    await _without_definitions(made)


async def _without_definitions(kubectl: Kubectl) -> None:
    """One whose objects the server cannot list yet would be stuck: its cleaner tries that again after ever longer pauses."""
    for name in await _ours(kubectl):
        await until(lambda name=name: _listed(kubectl, name), PATIENCE)  # type: ignore[misc]
    await kubectl.run(f"delete -f {CRDS} --ignore-not-found --wait=false")
    await until(lambda: _none(kubectl), PATIENCE)


async def _ours(kubectl: Kubectl) -> list[str]:
    """Our definitions that the server has."""
    ours = {path.stem for path in CRDS.glob("*.*.yaml")}
    return [name for line in (await kubectl("get crd -o name")).splitlines() if (name := line.partition("/")[2]) in ours]


async def _listed(kubectl: Kubectl, name: str) -> bool:
    code, _ = await kubectl.run(f"get {name} --all-namespaces")
    return code == 0


async def _no_place(kubectl: Kubectl) -> bool:
    """A namespace goes a while after it was deleted."""
    return f"namespace/{PLACE}" not in (await kubectl("get namespaces -o name")).splitlines()


async def _none(kubectl: Kubectl) -> bool:
    return not await _ours(kubectl)


async def applied(kubectl: Kubectl, manifest: Manifest, *, refused: bool = False) -> str:
    """Once the server serves the kind, which takes a moment."""

    async def there() -> bool:
        code, _ = await kubectl.run(f"-n {PLACE} get rollouts")
        return code == 0

    await until(there, PATIENCE)
    return await (kubectl.refused if refused else kubectl)("apply -f -", manifest)


async def rollout(kubectl: Kubectl) -> Manifest:
    found: Manifest = yaml.safe_load(await kubectl(f"-n {PLACE} get rollout web -o json"))
    return found


async def test_a_plain_apply_installs_them_and_a_second_one_changes_nothing(server: Server, kubectl: Kubectl) -> None:
    assert "created" in await kubectl(f"apply -f {CRDS}")
    await applied(kubectl, WEB)
    assert (await rollout(kubectl))["spec"] == FULL["spec"]
    head, line = (await kubectl(f"-n {PLACE} get rollouts")).splitlines()
    columns = ["NAME", "DESIRED", "CURRENT", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert server.real is None or (head.split() == columns and line.split()[:2] == ["web", "4"])
    again = (await kubectl(f"apply -f {CRDS}")).splitlines()
    assert len(again) == 8 and all(line.endswith("unchanged") for line in again), again


async def test_a_mistyped_field_is_told_and_a_wrong_type_refused(kubectl: Kubectl) -> None:
    await kubectl(f"apply -f {CRDS}")
    told = await applied(kubectl, {**WEB, "spec": {**WEB["spec"], "replcas": 3}}, refused=True)
    assert 'unknown field "spec.replcas"' in told
    told = await applied(kubectl, {**WEB, "spec": {**WEB["spec"], "replicas": "three"}}, refused=True)
    assert "spec.replicas" in told


async def test_pod_templates_keep_what_only_a_newer_kubernetes_knows(kubectl: Kubectl) -> None:
    await kubectl(f"apply -f {CRDS}")
    newer = {**template(), "spec": {**template()["spec"], "newInKubernetes": {"deep": [1]}}}
    await applied(kubectl, {**WEB, "spec": {**WEB["spec"], "template": newer}})
    assert (await rollout(kubectl))["spec"]["template"]["spec"]["newInKubernetes"] == {"deep": [1]}


@pytest.mark.parametrize("first", ["theirs", "ours"])
async def test_over_somebody_elses_and_back_no_object_loses_anything(kubectl: Kubectl, tmp_path: Path, first: str) -> None:
    theirs = tmp_path / "theirs.yaml"
    theirs.write_text(yaml.safe_dump(of_somebody_else()), encoding="utf-8")
    ours = CRDS / f"{ROLLOUTS}.yaml"
    before_, after_ = (theirs, ours) if first == "theirs" else (ours, theirs)
    await kubectl(f"apply -f {before_}")
    await applied(kubectl, WEB)
    await kubectl(f"-n {PLACE} patch rollout web --subresource=status --type=merge -p {NOTED}")
    before = await rollout(kubectl)
    await kubectl(f"apply -f {after_}")
    assert (await kubectl(f"get crd {ROLLOUTS} -o jsonpath={COLUMN}")) == ("Desired" if first == "theirs" else "Theirs")
    await kubectl(f"-n {PLACE} label rollout web touched=yes")
    after = await rollout(kubectl)
    assert (after["spec"], after["status"]) == (before["spec"], before["status"])
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    await kubectl(f"-n {PLACE} scale rollout web --replicas=5")
    assert (await rollout(kubectl))["spec"]["replicas"] == 5


async def test_a_selector_stays_what_it_is(server: Server, kubectl: Kubectl) -> None:
    if server.sandbox is not None:
        pytest.skip("the sandbox does not evaluate CEL (docs/sandbox.md)")
    await kubectl(f"apply -f {CRDS}")
    await applied(kubectl, WEB)
    told = await applied(kubectl, {**WEB, "spec": {**WEB["spec"], "selector": {"matchLabels": {"app": "other"}}}}, refused=True)
    assert "spec.selector" in told and "a selector cannot be changed" in told
