"""What a Kustomization or a HelmRelease of Flux says about a Rollout that it applies. Pure."""

import posixpath
from collections.abc import Iterable
from typing import Any

from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.views.companion.appliers import HEALED, NO_HOLD, Applier, Tracker, entries, mapping, shown
from reconciler.views.companion.argo_applications import ArgoBeside
from reconciler.views.companion.ignore_rules import flux_rules


def repository_of(applier: Manifest) -> Tracker:
    """The object that says which repository a Kustomization or a HelmRelease reads."""
    spec = mapping(applier.get("spec"))
    reference = mapping(spec.get("sourceRef")) or mapping(_chart(spec).get("sourceRef")) or mapping(spec.get("chartRef"))
    return Tracker(
        kind=str(reference.get("kind", "")),
        namespace=str(reference.get("namespace") or namespace_of(applier)),
        name=str(reference.get("name", "")),
    )


def flux_applier(rollout: Manifest, applier: Manifest, repository: Manifest | None, beside: ArgoBeside) -> Applier:
    """How Flux applies a Rollout; `repository` is the GitRepository behind it, None where it is none or cannot be read."""
    spec, git = mapping(applier.get("spec")), mapping((repository or {}).get("spec"))
    chart = _chart(spec)
    path = str(spec.get("path") or chart.get("chart") or ".").removeprefix("./") or "."
    reference = mapping(git.get("ref"))
    charted = applier["kind"] == "HelmRelease"
    return Applier(
        workload=f"Rollout {namespace_of(rollout)}/{name_of(rollout)}",
        applied_by=f"{applier['kind']} {namespace_of(applier)}/{name_of(applier)}",
        repository=str(git.get("url", "")),
        branch=str(reference.get("branch", "") or ("" if reference else "master")),
        path=path,
        by_itself=spec.get("suspend") is not True,
        heals=not charted or mapping(spec.get("driftDetection")).get("mode") == "enabled",
        source=_source(rollout, applier, git, path) if repository is not None else {},
        ignore=_ignore(applier, beside),
        problems=tuple(_problems(applier, repository, reference)),
        notes=tuple(_notes(spec, charted)),
    )


def _source(rollout: Manifest, applier: Manifest, git: dict[str, Any], path: str) -> dict[str, Any]:
    spec = mapping(applier.get("spec"))
    found: dict[str, Any] = {
        "name": name_of(applier),
        "repository": str(git.get("url", "")),
        "branch": str(mapping(git.get("ref")).get("branch") or "master"),
        "path": path,
        "environment": name_of(applier),
        "companion": True,
        "namespace": str(spec.get("targetNamespace") or namespace_of(rollout)),
    }
    if applier["kind"] != "HelmRelease":
        return found
    files = [f"/{name}" for name in _value_files(spec)]
    said = {
        "releaseName": str(spec.get("releaseName") or name_of(applier)),
        "valueFiles": files,
        "values": shown(mapping(spec.get("values"))),
    }
    return {**found, "helm": {key: value for key, value in said.items() if value}}


def _problems(applier: Manifest, repository: Manifest | None, reference: dict[str, Any]) -> Iterable[str]:
    spec, behind = mapping(applier.get("spec")), repository_of(applier)
    if repository is None:
        yield f"{behind} is no GitRepository that can be read: what it serves cannot be restored in Git"
    pinned = next((key for key in ("commit", "tag", "semver", "name") if reference.get(key)), "")
    if pinned:
        yield f"{behind} follows {pinned} {reference[pinned]}, no branch: nothing can be pushed there, and a restore has to move it by hand"
    for image in entries(spec.get("images")):
        version = image.get("newTag") or image.get("digest")
        yield f"spec.images says {image.get('name')}:{version}: a restore of other files does not move it"
    if mapping(spec.get("postBuild")):
        yield "spec.postBuild replaces ${variables} after rendering: what they say is restored by hand"
    if entries(spec.get("patches")):
        yield "spec.patches changes what is rendered: what it says is restored by hand"
    if applier["kind"] == "HelmRelease":
        yield from _chart_problems(spec)


def _chart_problems(spec: dict[str, Any]) -> Iterable[str]:
    """What keeps a restore in a chart's files from the cluster, by fluxcd.io/flux/components/source/helmcharts and /helm/helmreleases."""
    chart = _chart(spec)
    if mapping(chart.get("sourceRef")).get("kind") == "GitRepository" and chart.get("reconcileStrategy") != "Revision":
        yield (
            "it takes a commit only when the version in Chart.yaml has moved, so a restore would not reach the cluster: "
            "set spec.chart.spec.reconcileStrategy: Revision"
        )
    own = posixpath.normpath(posixpath.join(str(chart.get("chart") or "."), "values.yaml"))
    files = [posixpath.normpath(name) for name in _value_files(spec)]
    if files and own not in files:
        yield f"spec.chart.spec.valuesFiles leaves out {own}, which the printed source reads: name it first there"
    if mapping(spec.get("values")):
        yield "values stand in the HelmRelease itself, not in a file of the chart's source: what they say is restored by hand"
    for one in entries(spec.get("valuesFrom")):
        yield f"spec.valuesFrom reads {one.get('kind')} {one.get('name')}, which no source sees: what it says is restored by hand"


def _chart(spec: dict[str, Any]) -> dict[str, Any]:
    return mapping(mapping(spec.get("chart")).get("spec"))


def _value_files(spec: dict[str, Any]) -> list[str]:
    found = _chart(spec).get("valuesFiles")
    return [str(name).removeprefix("./") for name in found] if isinstance(found, list) else []


def _ignore(applier: Manifest, beside: ArgoBeside) -> dict[str, Any]:
    """What is still to be said: rules that are there already are not repeated."""
    spec = mapping(applier.get("spec"))
    charted = applier["kind"] == "HelmRelease"
    known = entries((mapping(spec.get("driftDetection")) if charted else spec).get("ignore"))
    missing = [rule for rule in flux_rules(beside.objects, beside.managed_routes) if not any(_covers(one, rule) for one in known)]
    if not missing:
        return {}
    rules = {"ignore": [*known, *missing]}
    return {"driftDetection": {"mode": "enabled", **rules}} if charted else rules


def _covers(known: dict[str, Any], rule: dict[str, Any]) -> bool:
    """True for a rule that says the same or more; a name without its backslashes is one that people wrote, and it fits, too."""
    target = mapping(known.get("target"))
    same = all(target.get(key) in (None, "", value, value.replace("\\", "")) for key, value in rule["target"].items())
    return same and {str(path) for path in known.get("paths") or ()} >= set(rule["paths"])


def _notes(spec: dict[str, Any], charted: bool) -> Iterable[str]:
    if spec.get("suspend") is True:
        yield "it is suspended: a restore in Git reaches the cluster once it is resumed"
    else:
        yield NO_HOLD
    if not charted:
        yield "spec.ignore needs Flux 2.9; with an older one annotate each object: kustomize.toolkit.fluxcd.io/ssa: IfNotPresent"
        yield f"it heals at each interval: {HEALED}"
        # github.com/fluxcd/pkg/pull/1157: ignored fields are removed from what is applied, and a list is applied as a whole.
        yield (
            "it leaves what spec.ignore names out of what it applies: a commit that changes the same route or Service otherwise takes "
            "weights or selector away until the rollout controller's next pass; push such a change while no release is under way"
        )
