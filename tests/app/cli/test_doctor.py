"""`reconciler doctor`: what another tool says of a Rollout, read from a cluster."""

from typing import Any

import yaml

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import AUTOSCALERS, ROLLOUTS, SERVICES, VIRTUAL_SERVICES
from reconciler.kube.client import Client
from reconciler.views.companion.appliers import APPLICATIONS, FLUX, GIT_REPOSITORIES, KUSTOMIZATIONS
from tests.kit.appliers import URL, application, define, marked, tool_object, tracked
from tests.kit.rollouts import canary, rollout, service, virtual_service
from tests.kit.routers import CASES, SERVED
from tests.kit.shell import Shell

ROUTED = rollout(strategy={"canary": canary(istio=True)})
AUTOMATED = {"automated": {"selfHeal": True, "prune": True}}
SCALER: dict[str, Any] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"scaleTargetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web"}, "maxReplicas": 8},
}


async def shop(client: Client, live: Manifest) -> None:
    """The Rollout, and what stands beside it: one Service is made by the controller."""
    created = await client.create(ROLLOUTS, live)
    await client.create(VIRTUAL_SERVICES, virtual_service())
    await client.create(SERVICES, service("web-stable"))
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": created["metadata"]["uid"], "controller": True}
    await client.create(SERVICES, marked(service("web-canary"), ownerReferences=[owner]))
    await client.create(AUTOSCALERS, SCALER)


async def beside_argo(client: Client) -> None:
    await define(client, APPLICATIONS)
    await shop(client, tracked(ROUTED))
    await client.create(APPLICATIONS, application(syncPolicy=AUTOMATED))


def test_the_application_behind_a_rollout_is_found_and_everything_to_paste_is_printed(sh: Shell) -> None:
    sh.ask(beside_argo)
    ended = sh("doctor", "web", "-n", "shop")
    assert (ended.code, ended.errors) == (0, "")
    lines = ended.output.splitlines()
    assert lines[:2] == [
        "Rollout shop/web is applied by Application reconciler/shop",
        f"  follows  {URL}  main  overlays/prod",
    ]
    assert "a hold cannot hold" in ended.output and "undo and set image are taken back" in ended.output
    source, rules = ended.output.split("  a source for reconciler.yaml:\n")[1].split("  for the spec of Application reconciler/shop:\n")
    (said,) = yaml.safe_load(source)["sources"]
    assert (said["repository"], said["branch"], said["path"], said["companion"]) == (URL, "main", "overlays/prod", True)
    found = yaml.safe_load(rules)
    assert {rule["kind"]: rule["jqPathExpressions"] for rule in found["ignoreDifferences"]} == {
        "VirtualService": [f".spec.{kind}[]?.route[]?.weight" for kind in ("http", "tls", "tcp")],
        "Service": ['.spec.selector."rollouts-pod-template-hash"'],
        "Rollout": [".spec.replicas"],
    }
    assert [rule["name"] for rule in found["ignoreDifferences"]] == ["web", "web-stable", "web"], "what the controller made needs no rule"
    assert found["syncPolicy"]["syncOptions"] == ["RespectIgnoreDifferences=true"]


async def beside_argo_with_app_mesh(client: Client) -> None:
    case = CASES["app mesh"]()
    for kind in (APPLICATIONS, *case.router.kinds):
        await define(client, kind)
    for ref, manifest in case.objects.items():
        await client.create(ref.resource, manifest)
    live = rollout(strategy={"canary": canary(**SERVED, trafficRouting=case.asking(case.config))})
    await client.create(ROLLOUTS, tracked(live))
    await client.create(APPLICATIONS, application(syncPolicy=AUTOMATED))


def test_an_object_that_a_rollout_is_only_led_to_needs_a_rule_too(sh: Shell) -> None:
    sh.ask(beside_argo_with_app_mesh)
    ended = sh("doctor", "web", "-n", "shop")
    rules = yaml.safe_load(ended.output.split("  for the spec of Application reconciler/shop:\n")[1])["ignoreDifferences"]
    assert [(rule["kind"], rule["name"]) for rule in rules] == [
        ("VirtualNode", "web-canary"),
        ("VirtualNode", "web-stable"),
        ("VirtualRouter", "web-router"),
    ]


def test_what_is_printed_is_a_source_of_a_settings_file_and_once_applied_nothing_is_left(sh: Shell, tmp_path: Any) -> None:
    sh.ask(beside_argo)
    (one,) = sh("doctor", "web", "-n", "shop", "-o", "json").json
    settings = tmp_path / "reconciler.yaml"
    settings.write_text(yaml.safe_dump({"controllers": ["release"], "sources": [one["source"]]}))
    assert sh("lint", str(settings), cluster=False).code == 0
    kept_at = ObjectRef(APPLICATIONS, "reconciler", "shop")
    sh.ask(lambda client: client.patch(kept_at, {"spec": one["ignore"]}))
    (again,) = sh("doctor", "web", "-n", "shop", "-o", "json").json
    assert again["ignore"] == {}


async def beside_flux(client: Client) -> None:
    await define(client, *FLUX, GIT_REPOSITORIES)
    labels = {"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "reconciler"}
    await shop(client, marked(ROUTED, labels=labels))
    reference = {"kind": "GitRepository", "name": "manifests"}
    spec = {"path": "./overlays/prod", "sourceRef": reference}
    await client.create(KUSTOMIZATIONS, tool_object(KUSTOMIZATIONS, "shop", spec))
    await client.create(GIT_REPOSITORIES, tool_object(GIT_REPOSITORIES, "manifests", {"url": URL, "ref": {"branch": "main"}}))


def test_a_kustomization_of_flux_and_its_repository_are_found(sh: Shell) -> None:
    sh.ask(beside_flux)
    ended = sh("doctor", "-n", "shop", "-o", "json")
    (one,) = ended.json
    assert (ended.code, one["problems"]) == (0, [])
    assert (one["appliedBy"], one["repository"], one["branch"], one["path"]) == (
        "Kustomization reconciler/shop",
        URL,
        "main",
        "overlays/prod",
    )
    assert {rule["target"]["kind"]: rule["paths"] for rule in one["ignore"]["ignore"]} == {
        "VirtualService": ["/spec/http/0/route/0/weight", "/spec/http/0/route/1/weight"],
        "Service": ["/spec/selector"],
        "Rollout": ["/spec/replicas"],
    }


def test_a_tool_that_runs_in_another_cluster_and_none_are_told_apart(sh: Shell) -> None:
    sh.ask(lambda client: client.create(ROLLOUTS, tracked(rollout(name="web"))))
    sh.ask(lambda client: client.create(ROLLOUTS, rollout(name="alone")))
    ended = sh("doctor", "-n", "shop")
    assert ended.code == 1
    assert "it says that Application shop applies it, and there is none: nothing of it is known here" in ended.output
    assert "Rollout shop/alone\n  problem: no mark of Argo CD or Flux is on it" in ended.output


def test_a_kustomization_whose_repository_is_gone_gives_no_source(sh: Shell) -> None:
    sh.ask(beside_flux)

    async def gone(client: Client) -> None:
        await client.delete(ObjectRef(GIT_REPOSITORIES, "reconciler", "manifests"))

    sh.ask(gone)
    ended = sh("doctor", "-n", "shop", "-o", "json")
    assert ended.code == 1 and ended.json[0]["source"] == {}
    assert "GitRepository reconciler/manifests is no GitRepository that can be read" in ended.json[0]["problems"][0]
