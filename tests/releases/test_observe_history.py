"""Releases that belong together: by workload in their order, and by pull request across workloads."""

from typing import Any

from msgspec.structs import replace

from reconciler.app.indexes import INDEXES
from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import RELEASES
from reconciler.kube.cache import Cache
from reconciler.releases.manifest import render_release
from reconciler.releases.model import Named
from reconciler.releases.observe_history import history, siblings
from reconciler.sources.model import Pull
from tests.kit.releases import release

PULL = Pull(number=3)


def stored(name: str, *, minute: int = 0, workload: str = "web", **spec: Any) -> Manifest:
    made = release(name, **spec)
    manifest = render_release(replace(made, spec=replace(made.spec, workload=Named(kind="Rollout", name=workload))))
    manifest["metadata"] |= {"uid": name, "creationTimestamp": f"2026-11-25T03:{minute:02}:00Z", "resourceVersion": str(minute + 1)}
    return manifest


def cache_of(*manifests: Manifest) -> Cache:
    cache = Cache((RELEASES,), INDEXES)
    for manifest in manifests:
        cache.put(RELEASES, manifest)
    return cache


def test_a_history_is_of_one_workload_and_oldest_first() -> None:
    cache = cache_of(stored("web-2", minute=2), stored("other-1", workload="other"), stored("web-1", minute=1))
    assert [one.name for one in history(cache, "shop", "web")] == ["web-1", "web-2"]
    assert history(cache, "elsewhere", "web") == []


def test_a_release_that_somebody_wrote_by_hand_costs_only_itself() -> None:
    forged = {"metadata": {"name": "forged", "namespace": "shop"}, "spec": {"workload": {"kind": "Rollout", "name": "web"}}}
    assert [one.name for one in history(cache_of(forged, stored("web-1")), "shop", "web")] == ["web-1"]


def test_releases_of_one_pull_request_and_environment_share_a_comment() -> None:
    cache = cache_of(
        stored("web-1", pull=PULL), stored("other-1", workload="other", pull=PULL), stored("web-2", pull=Pull(number=4)), stored("web-3")
    )
    assert [one.name for one in siblings(cache, release("web-1", pull=PULL))] == ["other-1", "web-1"]
    assert [one.name for one in siblings(cache, release("alone"))] == ["alone", "web-3"], "attempts of one commit share its status"
    alone = release("alone")
    other = replace(alone, spec=replace(alone.spec, commit=replace(alone.spec.commit, sha="d" * 40)))
    assert [one.name for one in siblings(cache, other)] == ["alone"]
