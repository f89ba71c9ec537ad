"""Manifests as people have them, and the same spoiled somewhere: a member gone, of another sort, doubled, under another name."""

import json
from copy import deepcopy
from typing import Any

import yaml
from hypothesis import strategies as st

from reconciler.kernel.identity import Manifest
from tests.kit.experiments import experiment, measured, version
from tests.kit.field_examples import BUILT
from tests.kit.lint import FILES
from tests.kit.rollouts import analysis, analysis_template, canary, pause, rollout, weight
from tests.kit.stepplugins import plugin_step

HEADERS: Manifest = {"setHeaderRoute": {"name": "preview", "match": [{"headerName": "x-preview", "headerValue": {"exact": "yes"}}]}}
MIRROR: Manifest = {
    "setMirrorRoute": {"name": "shadow", "percentage": 35, "match": [{"method": {"exact": "GET"}, "path": {"prefix": "/"}}]}
}
TRIAL: Manifest = {
    "experiment": {
        "templates": [{"name": "canary", "specRef": "canary", "weight": 5, "metadata": {"labels": {"a": "b"}}}],
        "duration": "5m",
        "analyses": [
            {"name": "check", "templateName": "rate", "args": [{"name": "service", "value": "web"}], "requiredForCompletion": True}
        ],
    }
}
ROUTING: Manifest = {
    "istio": {
        "virtualServices": [{"name": "web", "routes": ["primary"]}],
        "destinationRule": {"name": "web", "canarySubsetName": "canary", "stableSubsetName": "stable"},
    },
    "managedRoutes": [{"name": "preview"}, {"name": "shadow"}],
    "maxTrafficWeight": 100,
}
FULL = rollout(
    canary=canary(
        weight(20),
        HEADERS,
        MIRROR,
        pause("10m"),
        {"setCanaryScale": {"weight": 25}},
        {"analysis": analysis("rate", args=[{"name": "service", "value": "web"}], dryRun=[{"metricName": "*"}])},
        TRIAL,
        plugin_step(users=3),
        canaryService="web-canary",
        stableService="web",
        trafficRouting=ROUTING,
        analysis=analysis("rate", startingStep=1, args=[{"name": "service", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
        antiAffinity={"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 1}},
        abortScaleDownDelaySeconds=0,
        dynamicStableScale=True,
        pingPong={"pingService": "ping", "pongService": "pong"},
        minPodsPerReplicaSet=1,
        replicaProgressThreshold={"type": "Percent", "value": 90},
    ),
    progressDeadlineSeconds=600,
    rollbackWindow={"revisions": 3},
    restartAt="2030-01-01T00:00:00Z",
)
BLUE_GREEN = rollout(
    blue_green={
        "activeService": "web",
        "previewService": "web-canary",
        "autoPromotionSeconds": 30,
        "previewReplicaCount": 1,
        "prePromotionAnalysis": analysis("rate"),
        "scaleDownDelaySeconds": 0,
    },
    workloadRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": "progressively"},
)
EXISTING: tuple[Manifest, ...] = (
    FULL,
    BLUE_GREEN,
    experiment(version(service={}), analyses=[measured()], duration="5m"),
    analysis_template(),
    *(document for text in FILES.values() for document in yaml.safe_load_all(text)),
)
SETS: tuple[tuple[Manifest, ...], ...] = (EXISTING, *(tuple(yaml.safe_load_all(text)) for text in BUILT.values()))
"""What people have together in a folder."""
JUNK = (
    None,
    True,
    False,
    0,
    -1,
    3.5,
    10**30,
    "",
    "x",
    "{{args.x}}",
    "*",
    "10m",
    "-3s",
    [],
    [None],
    {},
    {"a": {"b": []}},
    [[["x"]]],
    {"": None},
)


@st.composite
def spoiled_files(draw: st.DrawFn) -> dict[str, bytes]:
    """One set of files, one of them spoiled in one to three places."""
    documents = [deepcopy(document) for document in draw(st.sampled_from(SETS))]
    chosen = documents[draw(st.integers(0, len(documents) - 1))]
    for _ in range(draw(st.integers(1, 3))):
        _spoil(draw, chosen)
    return {f"{index}.yaml": json.dumps(document).encode() for index, document in enumerate(documents)}


def _spoil(draw: st.DrawFn, document: Any) -> None:
    holders = [holder for holder in _holders(document) if holder]
    holder = draw(st.sampled_from(range(len(holders))).map(holders.__getitem__))
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = draw(st.sampled_from(keys))
    match draw(st.sampled_from(("gone", "junk", "again", "renamed"))):
        case "gone":
            del holder[key]
        case "junk":
            holder[key] = deepcopy(draw(st.sampled_from(JUNK)))
        case "again" if isinstance(holder, list):
            holder.append(deepcopy(holder[key]))
        case _ if isinstance(holder, dict):
            holder[f"{key}s"] = holder.pop(key)


def _holders(value: Any) -> list[Any]:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value, *(found for one in inner for found in _holders(one))] if isinstance(value, dict | list) else []
