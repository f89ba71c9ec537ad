"""What an Application of Argo CD says about a Rollout that it applies: where it is tracked, what a restore can reach. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.views.companion.appliers import HEALED, NO_HOLD, Applier, entries, mapping, shown
from reconciler.views.companion.ignore_rules import argo_rules

PINNED = re.compile(r"[0-9a-f]{40}|refs/tags/.+|v?\d+\.\d+\.\d+.*|.*[*^~<>=].*")
"""A commit, a tag, or a range of versions: what no push moves."""
IMAGES_ELSEWHERE = "no file says so, and a restore in Git does not move it: move it into the repository"


@dataclass(frozen=True, slots=True)
class ArgoBeside:
    """The objects that the rollout controller writes into for one Rollout, and the header routes that it manages."""

    objects: tuple[Manifest, ...]
    managed_routes: tuple[str, ...] = ()


def argo_applier(rollout: Manifest, application: Manifest, beside: ArgoBeside) -> Applier:
    """How an Application applies a Rollout."""
    spec = mapping(application.get("spec"))
    sources = _sources(spec)
    tracked = next((one for one in sources if one.get("path") or one.get("chart")), mapping(next(iter(sources), None)))
    automated = mapping(spec.get("syncPolicy")).get("automated")
    by_itself = isinstance(automated, dict) and automated.get("enabled") is not False
    heals = by_itself and mapping(automated).get("selfHeal") is True
    problems = (*_unreachable(tracked, sources), *_own_values(tracked))
    fragment = _source(rollout, application, tracked, sources)
    return Applier(
        workload=f"Rollout {namespace_of(rollout)}/{name_of(rollout)}",
        applied_by=f"Application {namespace_of(application)}/{name_of(application)}{_maker(application)}",
        repository=str(tracked.get("repoURL", "")),
        branch=str(tracked.get("targetRevision") or "HEAD"),
        path=str(tracked.get("path") or "."),
        by_itself=by_itself,
        heals=heals,
        source=fragment if tracked.get("path") and not tracked.get("chart") else {},
        ignore=_ignore(spec, beside),
        problems=problems,
        notes=tuple(_notes(application, by_itself, heals)),
    )


def _sources(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The one source or the several; a hydrated Application applies what its dry source becomes."""
    hydrator = mapping(spec.get("sourceHydrator"))
    if hydrator:
        return [mapping(hydrator.get("drySource"))]
    return entries(spec.get("sources")) or [mapping(spec.get("source"))]


def _source(rollout: Manifest, application: Manifest, tracked: dict[str, Any], sources: Iterable[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name_of(application),
        "repository": str(tracked.get("repoURL", "")),
        "branch": str(tracked.get("targetRevision") or "main").replace("HEAD", "main"),
        "path": str(tracked.get("path") or "."),
        "environment": name_of(application),
        "companion": True,
        "application": name_of(application),
        "namespace": str(mapping(mapping(application.get("spec")).get("destination")).get("namespace") or namespace_of(rollout)),
    }
    helm = mapping(tracked.get("helm"))
    said = {
        "releaseName": str(helm.get("releaseName") or name_of(application)) if helm else "",
        "valueFiles": [_value_file(str(name), tracked, sources) for name in helm.get("valueFiles") or ()],
        "values": shown(mapping(helm.get("valuesObject"))),
        "set": shown({str(one["name"]): str(one.get("value", "")) for one in entries(helm.get("parameters")) if "name" in one}),
    }
    kept = {key: value for key, value in said.items() if value}
    return {**found, "helm": kept} if kept else found


def _value_file(name: str, tracked: dict[str, Any], sources: Iterable[dict[str, Any]]) -> str:
    """A value file as our settings name it: `$ref/…` of the same repository is a path from its root."""
    reference, slash, rest = name.partition("/")
    if not name.startswith("$") or not slash:
        return name
    same = (one for one in sources if f"${one.get('ref')}" == reference and one.get("repoURL") == tracked.get("repoURL"))
    return f"/{rest}" if next(same, None) is not None else name


def _unreachable(tracked: dict[str, Any], sources: Iterable[dict[str, Any]]) -> Iterable[str]:
    """Why nothing could be restored where the Application looks."""
    if tracked.get("chart"):
        yield f"the chart {tracked['chart']} comes from a chart repository, not from Git: its version and values cannot be restored there"
    revision = str(tracked.get("targetRevision") or "HEAD")
    if not tracked.get("chart") and PINNED.fullmatch(revision):
        yield f"targetRevision {revision} is no branch: nothing can be pushed there, and a restore has to move it by hand"
    for name in mapping(tracked.get("helm")).get("valueFiles") or ():
        if str(name).startswith("$") and _value_file(str(name), tracked, sources) == name:
            yield f"the value file {name} is in another repository: a source follows one, so what it says is restored by hand"
    if tracked.get("plugin"):
        yield "a plugin renders it, which only Argo CD runs: follow what it renders, or restore by hand"


def _own_values(tracked: dict[str, Any]) -> Iterable[str]:
    """Versions that the Application itself says, over whatever stands in Git."""
    for image in mapping(tracked.get("kustomize")).get("images") or ():
        yield f"spec.source.kustomize.images says {image}: {IMAGES_ELSEWHERE}, or let the image updater write back to Git"
    for one in entries(mapping(tracked.get("helm")).get("parameters")):
        yield f"spec.source.helm.parameters says {one.get('name')}={shown(one.get('value'), str(one.get('name')))}: {IMAGES_ELSEWHERE}"
    if mapping(tracked.get("helm")).get("values"):
        yield f"spec.source.helm.values says values as text: {IMAGES_ELSEWHERE}"


def _ignore(spec: dict[str, Any], beside: ArgoBeside) -> dict[str, Any]:
    """What is still to be said: rules that are there already are not repeated."""
    known = entries(spec.get("ignoreDifferences"))
    missing = [rule for rule in argo_rules(beside.objects, beside.managed_routes) if not any(_covers(one, rule) for one in known)]
    options = mapping(spec.get("syncPolicy")).get("syncOptions") or ()
    if not missing and ("RespectIgnoreDifferences=true" in options or not known):
        return {}
    found: dict[str, Any] = {"ignoreDifferences": [*known, *missing]}
    return {**found, "syncPolicy": {"syncOptions": sorted({*map(str, options), "RespectIgnoreDifferences=true"})}}


def _covers(known: dict[str, Any], rule: dict[str, Any]) -> bool:
    same = all(known.get(key) in (None, "", "*", rule[key]) for key in ("name", "namespace"))
    fields = {str(one) for one in known.get("jqPathExpressions") or ()}
    return same and (known.get("group"), known.get("kind")) == (rule["group"], rule["kind"]) and fields >= set(rule["jqPathExpressions"])


def _maker(application: Manifest) -> str:
    owners = entries(application["metadata"].get("ownerReferences"))
    made_by = next((str(one.get("name")) for one in owners if one.get("kind") == "ApplicationSet"), "")
    return f", made by ApplicationSet {made_by}: change that one" if made_by else ""


def _notes(application: Manifest, by_itself: bool, heals: bool) -> Iterable[str]:
    if by_itself:
        yield NO_HOLD
    else:
        yield "a person syncs it: a restore in Git reaches the cluster with the next sync"
    if heals:
        yield f"it heals at once: {HEALED}"
    if any("image-updater" in str(key) for key in mapping(application["metadata"].get("annotations"))):
        yield "the image updater writes here: a version that it pushes again is answered and restored each time, within the policy's budget"
