"""What objects of Argo CD and Flux say about a Rollout, case by case."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.views.companion.appliers import APPLICATIONS, HELM_RELEASES, KUSTOMIZATIONS, Tracker, application_of, trackers
from reconciler.views.companion.argo_applications import ArgoBeside, argo_applier
from reconciler.views.companion.flux_appliers import flux_applier
from tests.kit.appliers import URL, application, marked, tool_object, tracked
from tests.kit.rollouts import rollout, virtual_service
from tests.kit.routers import CASES

LIVE = rollout()
NOTHING = ArgoBeside(())


def lists(found: Manifest) -> Manifest:
    return {**found, "status": {"resources": [{"kind": "Rollout", "namespace": "shop", "name": "web"}]}}


def test_a_tracking_id_names_the_application_and_the_namespace_where_it_has_one() -> None:
    assert trackers(tracked(LIVE)) == (Tracker(kind="Application", namespace="", name="shop"),)
    assert trackers(tracked(LIVE, "team-a_shop")) == (Tracker(kind="Application", namespace="team-a", name="shop"),)


def test_a_label_that_charts_set_too_counts_only_if_the_application_says_the_same() -> None:
    (mark,) = trackers(marked(LIVE, labels={"app.kubernetes.io/instance": "shop"}))
    assert application_of(mark, LIVE, [application()]) is None
    assert application_of(mark, LIVE, [lists(application())]) is not None


def test_of_two_applications_with_one_name_the_one_that_lists_the_object_is_taken() -> None:
    other = tool_object(APPLICATIONS, "shop", {"source": {}}, namespace="elsewhere")
    (mark,) = trackers(tracked(LIVE))
    assert application_of(mark, LIVE, [other, lists(application())])["metadata"]["namespace"] == "reconciler"  # type: ignore[index]
    assert application_of(mark, LIVE, []) is None


def test_several_sources_are_one_source_of_ours_where_their_value_files_are_in_one_repository() -> None:
    helm = {"valueFiles": ["$values/prod/web.yaml", "local.yaml"], "parameters": [{"name": "image.tag", "value": "1.0"}]}
    sources = [{"repoURL": URL, "path": "charts/web", "targetRevision": "main", "helm": helm}, {"repoURL": URL, "ref": "values"}]
    found = argo_applier(LIVE, tool_object(APPLICATIONS, "shop", {"sources": sources}), NOTHING)
    assert found.source["helm"] == {"releaseName": "shop", "valueFiles": ["/prod/web.yaml", "local.yaml"], "set": {"image.tag": "1.0"}}
    assert [problem for problem in found.problems if "helm.parameters says image.tag=1.0" in problem]
    elsewhere = [sources[0], {"repoURL": "https://git.example.com/other.git", "ref": "values"}]
    said = argo_applier(LIVE, tool_object(APPLICATIONS, "shop", {"sources": elsewhere}), NOTHING)
    assert any("$values/prod/web.yaml is in another repository" in problem for problem in said.problems)


def test_a_child_of_an_application_set_names_it() -> None:
    child = application()
    child["metadata"]["ownerReferences"] = [{"kind": "ApplicationSet", "name": "shops", "controller": True}]
    assert argo_applier(LIVE, child, NOTHING).applied_by == "Application reconciler/shop, made by ApplicationSet shops: change that one"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"kustomize": {"images": ["web=web:2.0"]}}, "spec.source.kustomize.images says web=web:2.0"),
        ({"helm": {"values": "image: {tag: '2'}"}}, "spec.source.helm.values says values as text"),
        ({"targetRevision": "v1.2.3"}, "targetRevision v1.2.3 is no branch"),
        ({"targetRevision": "a" * 40}, "is no branch"),
        ({"targetRevision": "1.x.*"}, "is no branch"),
        ({"chart": "web", "path": None}, "comes from a chart repository"),
        ({"plugin": {"name": "cue"}}, "a plugin renders it"),
    ],
)
def test_what_a_restore_in_git_cannot_reach_is_a_problem(source: dict[str, Any], words: str) -> None:
    assert any(words in problem for problem in argo_applier(LIVE, application(source), NOTHING).problems)


@pytest.mark.parametrize("revision", ["main", "HEAD", "release-1.2", "v2-branch", ""])
def test_a_branch_is_no_problem(revision: str) -> None:
    assert argo_applier(LIVE, application({"targetRevision": revision}), NOTHING).problems == ()


def test_what_is_called_like_a_secret_is_not_printed() -> None:
    helm = {"parameters": [{"name": "db.password", "value": "hunter2"}], "valuesObject": {"api": {"token": "hunter2"}, "tag": "1"}}
    found = argo_applier(LIVE, application({"helm": helm}), NOTHING)
    assert "hunter2" not in repr(found) and found.source["helm"]["values"]["tag"] == "1"


@pytest.mark.parametrize(
    ("policy", "by_itself", "heals"),
    [
        ({}, False, False),
        ({"automated": {}}, True, False),
        ({"automated": {"selfHeal": True}}, True, True),
        ({"automated": {"selfHeal": True, "enabled": False}}, False, False),
    ],
)
def test_who_applies_and_heals_by_itself(policy: dict[str, Any], by_itself: bool, heals: bool) -> None:
    found = argo_applier(LIVE, application(syncPolicy=policy), NOTHING)
    assert (found.by_itself, found.heals) == (by_itself, heals)
    assert any("a hold cannot hold" in note for note in found.notes) is by_itself


def test_header_routes_are_left_by_name_to_argo_and_with_their_list_to_flux() -> None:
    beside = ArgoBeside((virtual_service(),), ("testers",))
    (rule,) = argo_applier(LIVE, application(), beside).ignore["ignoreDifferences"]
    assert rule["jqPathExpressions"][-1] == '.spec.http[]? | select(.name == "testers")'
    flux = tool_object(KUSTOMIZATIONS, "shop", {"path": "."})
    assert flux_applier(LIVE, flux, None, beside).ignore["ignore"][0]["paths"] == ["/spec/http"]


def test_a_name_with_dots_is_meant_as_it_is_written_and_a_rule_without_backslashes_is_known() -> None:
    beside = ArgoBeside(({**virtual_service(), "metadata": {"name": "web.v1-a", "namespace": "shop"}},))
    (rule,) = flux_applier(LIVE, tool_object(KUSTOMIZATIONS, "shop", {}), None, beside).ignore["ignore"]
    assert rule["target"] == {"kind": "VirtualService", "namespace": "shop", "name": r"web\.v1-a"}
    for name, others in ((r"web\.v1-a", 0), ("web.v1-a", 0), ("web.v2-a", 2)):
        known = {**rule, "target": {**rule["target"], "name": name}}
        found = flux_applier(LIVE, tool_object(KUSTOMIZATIONS, "shop", {"ignore": [known]}), None, beside).ignore
        assert len(found.get("ignore", ())) == others


def test_what_is_moved_behind_app_mesh_is_ignored_and_its_virtual_service_is_not_taken_for_istio_s() -> None:
    beside = ArgoBeside(tuple(CASES["app mesh"]().objects.values()), ("testers",))
    rules = argo_applier(LIVE, application(), beside).ignore["ignoreDifferences"]
    assert [(rule["kind"], rule["group"]) for rule in rules] == [
        ("VirtualRouter", "appmesh.k8s.aws"),
        ("VirtualNode", "appmesh.k8s.aws"),
        ("VirtualNode", "appmesh.k8s.aws"),
    ]
    assert ".spec.routes[]?.httpRoute.action.weightedTargets[]?.weight" in rules[0]["jqPathExpressions"]
    flux = flux_applier(LIVE, tool_object(KUSTOMIZATIONS, "shop", {"path": "."}), None, beside).ignore["ignore"]
    weights = [f"/spec/routes/{route}/{kind}/action/weightedTargets/{target}/weight" for route, kind, target in TARGETS]
    assert [rule["paths"] for rule in flux] == [weights, *[["/spec/podSelector/matchLabels/rollouts-pod-template-hash"]] * 2]


TARGETS = ((0, "tcpRoute", 0), (1, "httpRoute", 0), (1, "httpRoute", 1))


def test_rules_that_stand_there_are_kept_and_not_repeated() -> None:
    own = {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}
    found = argo_applier(LIVE, application(ignoreDifferences=[own]), ArgoBeside((virtual_service(),))).ignore
    assert found["ignoreDifferences"][0] == own and len(found["ignoreDifferences"]) == 2
    whole = {
        "group": "networking.istio.io",
        "kind": "VirtualService",
        "jqPathExpressions": found["ignoreDifferences"][1]["jqPathExpressions"],
    }
    respected = {"syncOptions": ["RespectIgnoreDifferences=true"]}
    assert argo_applier(LIVE, application(ignoreDifferences=[whole], syncPolicy=respected), ArgoBeside((virtual_service(),))).ignore == {}


def test_what_flux_replaces_after_rendering_is_a_problem() -> None:
    repository = {"spec": {"url": URL, "ref": {"tag": "v1"}}}
    spec = {
        "path": "./a",
        "images": [{"name": "web", "newTag": "2"}],
        "postBuild": {"substitute": {"tag": "2"}},
        "patches": [{"patch": "a"}],
    }
    spec["sourceRef"] = {"kind": "GitRepository", "name": "manifests"}
    found = flux_applier(LIVE, tool_object(KUSTOMIZATIONS, "shop", spec), repository, NOTHING)
    for words in ("follows tag v1", "spec.images says web:2", "spec.postBuild", "spec.patches"):
        assert any(words in problem for problem in found.problems)


def test_a_helm_release_from_git_is_a_source_with_its_values_and_says_what_stands_in_no_file() -> None:
    chart = {"chart": "./charts/web", "valuesFiles": ["charts/web/prod.yaml"], "sourceRef": {"kind": "GitRepository", "name": "manifests"}}
    spec = {"chart": {"spec": chart}, "values": {"image": {"tag": "1"}, "secretKey": "hunter2"}}
    found = flux_applier(LIVE, tool_object(HELM_RELEASES, "shop", spec), {"spec": {"url": URL, "ref": {"branch": "main"}}}, NOTHING)
    assert found.source["helm"]["valueFiles"] == ["/charts/web/prod.yaml"] and found.path == "charts/web"
    assert found.heals is False and "hunter2" not in repr(found)
    assert any("values stand in the HelmRelease itself" in problem for problem in found.problems)
    assert any("set spec.chart.spec.reconcileStrategy: Revision" in problem for problem in found.problems)
    assert any("valuesFiles leaves out charts/web/values.yaml" in problem for problem in found.problems)
    files = ["./charts/web/values.yaml", "charts/web/prod.yaml"]
    spec = {"chart": {"spec": {**chart, "valuesFiles": files, "reconcileStrategy": "Revision"}}}
    git = {"spec": {"url": URL, "ref": {"branch": "main"}}}
    assert flux_applier(LIVE, tool_object(HELM_RELEASES, "shop", spec), git, NOTHING).problems == ()


def test_a_helm_release_says_what_it_reads_from_elsewhere() -> None:
    spec = {"chartRef": {"kind": "OCIRepository", "name": "web"}, "valuesFrom": [{"kind": "Secret", "name": "web-values"}, 3]}
    found = flux_applier(LIVE, tool_object(HELM_RELEASES, "shop", spec), None, NOTHING)
    assert found.problems[0].startswith("OCIRepository reconciler/web is no GitRepository that can be read") and len(found.problems) == 2
    assert "spec.valuesFrom reads Secret web-values, which no source sees" in found.problems[1]


@pytest.mark.parametrize("spec", [{}, {"source": []}, {"sources": "x"}, {"source": {"helm": "x", "kustomize": 3}}, {"syncPolicy": "x"}])
def test_objects_that_are_not_as_they_should_be_end_nothing(spec: Any) -> None:
    assert argo_applier(LIVE, tool_object(APPLICATIONS, "shop", spec), NOTHING).workload == "Rollout shop/web"
    assert flux_applier(LIVE, tool_object(KUSTOMIZATIONS, "shop", {**spec, "sourceRef": 3, "images": {}}), None, NOTHING).problems
