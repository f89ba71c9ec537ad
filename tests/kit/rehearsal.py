"""Builders for rehearsals: a tiny manifest repository, a stage that serves it, stories from text, made-up reports."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.chronicle import Chronicle, Moment
from reconciler_sandbox.rehearsal.compare import Comparison
from reconciler_sandbox.rehearsal.parse import parse_story
from reconciler_sandbox.rehearsal.parse_fields import KINDS
from reconciler_sandbox.rehearsal.played import GitCommit, Played
from reconciler_sandbox.rehearsal.record import Entry, Measured, Outcome, Pods, PullPage, Report, Requests, Shares, Weights
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.story import ObjectField, ObjectName, Story

IMAGE = "registry.example.com/shop/web"
FILE = "environments/demo/web.yaml"
RESTORE = """abc1234 Restore web in demo: failed

- a bullet

diff --git a/f b/f
--- a/f
+++ b/f
@@ -1 +1 @@
-image: 1.1
+image: 1.0"""
CONFIG_MAPS = "/api/v1/namespaces/shop/configmaps"


def story(steps: str, *, traffic: str = "") -> Story:
    """A story from its steps (and traffic) alone."""
    head = "title: A test\n" + (f"traffic:\n{_indented(traffic)}" if traffic else "")
    return parse_story(f"{head}steps:\n{_indented(steps)}", "test.yaml", "test")


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in dedent(text).strip("\n").splitlines())


def sample(folder: Path) -> Path:
    """A manifest repository with one file."""
    path = folder / "sample" / FILE
    path.parent.mkdir(parents=True)
    path.write_text(f"image: {IMAGE}:1.0\n")
    return folder / "sample"


@asynccontextmanager
async def stage(folder: Path, images: Mapping[str, Behaviour] | None = None, *, api_faults: bool = False) -> AsyncIterator[Stage]:
    """A stage that serves the tiny repository; its daemon is not started."""
    async with Stage(sample(folder), images, api_faults=api_faults) as built:
        yield built


def field_of(kind: str, name: str, path: str, **rules: Any) -> ObjectField:
    """The claim that a field of an object in namespace shop is as the rules say."""
    return ObjectField(target=ObjectName(KINDS[kind], "shop", name), path=path, comparison=Comparison(rules))


def config_map(name: str, **values: str) -> Mapping[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": values}


def web_objects(version: str = "1.0", replicas: int = 1) -> list[tuple[str, Mapping[str, Any]]]:
    """A Deployment that anybody reaches as web.example.com through the gateway: (collection, object) each."""
    shop, istio = {"name": "web", "namespace": "shop"}, "/apis/networking.istio.io/v1alpha3/namespaces/shop"
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": f"{IMAGE}:{version}", "ports": [{"name": "http", "containerPort": 8080}]}]},
    }
    deployment = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    servers = [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]
    http = [{"name": "primary", "route": [{"destination": {"host": "web"}}]}]
    return [
        ("/apis/apps/v1/namespaces/shop/deployments", _manifest("apps/v1", "Deployment", shop, deployment)),
        ("/api/v1/namespaces/shop/services", _manifest("v1", "Service", shop, {"selector": {"app": "web"}, "ports": ports})),
        (f"{istio}/gateways", _manifest("networking.istio.io/v1alpha3", "Gateway", shop, {"servers": servers})),
        (
            f"{istio}/virtualservices",
            _manifest("networking.istio.io/v1alpha3", "VirtualService", shop, {"hosts": ["*"], "gateways": ["web"], "http": http}),
        ),
    ]


def _manifest(version: str, kind: str, metadata: Mapping[str, str], spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": dict(metadata), "spec": spec}


def outcome(what: str = "it holds", *, held: bool = True, lane: str = "web", observed: str = "seen", seconds: float = 1.0) -> Outcome:
    return Outcome(lane=lane, what=what, expected="wanted", observed=observed, held=held, seconds=seconds, place="web.yaml:7")


def entry(text: str, kind: str = "step", *, at: float = 1.0, lane: str = "web", came: Outcome | None = None) -> Entry:
    return Entry(at=at, lane=lane, kind=kind, text=text, outcome=came)


def report(*entries: Entry, comment: str = "", title: str = "A rehearsal") -> Report:
    """A made-up report of one lane, `web`, in which everything that a page shows occurs."""
    return Report(
        title=title,
        began="2026-01-02 03:04 UTC",
        seconds=20.0,
        parts=[("real", "Envoy"), ("ours", "pods")],
        entries=[entry("web — a canary", "title", at=0), *entries],
        weights=[
            Weights(1.0, "shop/web:primary", {"web": 100, "web-canary": 0}),
            Weights(5.0, "shop/web:primary", {"web": 60, "web-canary": 40}, ("web-testers",)),
        ],
        requests={"web": [Requests(1, {"1.0": 10}), Requests(6, {"1.0": 6, "1.1": 3, "": 1})]},
        measured=[measured()],
        pulls=[PullPage(number=3, title="web 1.1", comments=(comment,), statuses=(("reconciler/demo", "success", "passed"),))],
        restores=[RESTORE],
        log=["abc1234 Restore web in demo: failed"],
    )


def measured(**changed: Any) -> Measured:
    known = {
        "run": "web-1",
        "metric": "success-rate",
        "phase": "Failed",
        "values": ("[0.97]", "[0.5]"),
        "phases": ("Successful", "Failed"),
        "limits": "passes when: len(result) > 0 && result[0] >= 0.95",
        "successful": 1,
        "failed": 1,
    }
    return Measured(**{**known, **changed})


def played(*wrong: str, text: str = "Healthy") -> Played:
    """One release of shop/web that was played for a hundred seconds from its second 100 on; beside it another workload."""
    chronicle = Chronicle(lambda: 0.0, images={"old": "shop/web:1.0", "new": "shop/web:1.1", "other": "shop/search:1.0"})
    chronicle.owners |= {"old": "shop/web", "new": "shop/web", "other": "shop/search"}
    chronicle.pods += [Pods(10, "old", 2, 2), Pods(10, "other", 9, 9), Pods(110, "new", 1, 1), Pods(140, "old", 0, 0)]
    chronicle.moments += [Moment(10, "web", "Progressing"), Moment(100, "git", "push"), Moment(110, "web", text)]
    return Played(
        "shop/web",
        "good",
        3,
        verdict="passed",
        git="asks for shop/web:1.1",
        seconds=100.0,
        chronicle=chronicle,
        begun=100.0,
        shares=[Shares(20, {"old": 20.0, "other": 20.0}), Shares(150, {"new": 10.0, "old": 10.0, "other": 20.0})],
        commits=[GitCommit("abc1234", f"web 1.1 {text}", "Ann", "diff --git a/f b/f\n-image: 1.0\n+image: 1.1")],
        expected="passed",
        laws=("users meet a pod", "what waits says why"),
        wrong=list(wrong),
    )
