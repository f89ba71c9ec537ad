"""Removal is careful: only what this source applied, never too much, never the precious kinds."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.sources.inventory import InventoryEntry, digest_of
from reconciler.sources.problem import Objection, Reason
from reconciler.sources.settings import PruneLimit
from reconciler.sync.plan import SourcePlan, plan
from reconciler.sync.prune import LeftGit, behind, removals
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import SETTINGS, config, rollout
from tests.kit.sourcefacts import KINDS, SHOP, applied, entry_of, source_facts

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OLD = applied("old")
UNREAD = Objection(Reason.NOT_SERVED, "no answer", "wait")
SUSPENDED = {"reconciler.dev/suspend": "true"}


def entries(count: int) -> list[InventoryEntry]:
    return [InventoryEntry(("v1", "ConfigMap", "shop", f"c{index}"), f"uid{index}") for index in range(count)]


def test_what_left_git_is_removed() -> None:
    assert removals(LeftGit(tuple(entries(1))), 10, PruneLimit(), "").entries == tuple(entries(1))


def test_an_emptied_folder_prunes_nothing() -> None:
    found = removals(LeftGit(tuple(entries(3))), 0, PruneLimit(100, 100), "")
    assert found.entries == () and found.blocked is not None


def test_more_than_the_limit_waits_for_a_person() -> None:
    assert removals(LeftGit(tuple(entries(3))), 10, PruneLimit(), "").blocked is not None
    assert removals(LeftGit(tuple(entries(11))), 100, PruneLimit(), "").blocked is not None
    assert len(removals(LeftGit(tuple(entries(10))), 100, PruneLimit(), "").entries) == 10


def test_two_objects_of_a_small_source_may_always_go() -> None:
    assert len(removals(LeftGit(tuple(entries(2))), 3, PruneLimit(), "").entries) == 2


def test_a_confirmation_is_good_for_exactly_these_objects() -> None:
    confirmed = digest_of(entries(3))
    assert removals(LeftGit(tuple(entries(3))), 0, PruneLimit(), confirmed).entries == tuple(entries(3))
    assert removals(LeftGit(tuple(entries(4))), 10, PruneLimit(), confirmed).entries == ()


def test_what_may_stand_in_a_file_that_nobody_can_read_has_not_left() -> None:
    entry = InventoryEntry(("v1", "ConfigMap", "shop", "a"), "u", "apps/a.yaml")
    assert behind(entry, ["apps/a.yaml"]) and behind(entry, ["apps"])
    assert not behind(entry, ["app", "apps/b.yaml"]) and not behind(entry, [])
    rendered = InventoryEntry(entry.place, "u", file="apps/main.jsonnet#Deployment/shop/web")
    assert behind(rendered, ["apps/main.jsonnet"]) and not behind(rendered, ["apps/main"]), "what a file gives stands in it"
    assert behind(InventoryEntry(entry.place, "u"), ["x.yaml"]), "an earlier version did not say where it stood"


def left(live: tuple[Manifest, ...] = (OLD,), files: dict[str, str] | None = None, **known: Any) -> SourcePlan:
    """The plan of a source that applied `old` and holds it no more."""
    return plan(source_facts({"kept": config("kept")} if files is None else files, live, (entry_of(OLD),), **known), NOW)


def pruned(thought: SourcePlan) -> list[str]:
    return [prune.place[3] for prune in thought.prunes]


def test_what_left_git_and_still_is_ours_is_removed_under_its_uid() -> None:
    thought = left()
    assert (pruned(thought), thought.gone) == (["old"], ())
    assert thought.prunes[0].action.uid == "uid-old"


def test_what_git_holds_is_neither_removed_nor_forgotten() -> None:
    thought = left(files={"old": config("old")})
    assert (pruned(thought), thought.gone) == ([], ())


@pytest.mark.parametrize(
    "known",
    [
        {"unread": {("v1", "ConfigMap", NAMESPACE): UNREAD}, "live": {}},
        {"resources": {kind: found for kind, found in KINDS.items() if kind[1] != "ConfigMap"}, "live": {}},
        {"unread": {("v1", "ConfigMap", NAMESPACE): UNREAD}},
    ],
)
def test_what_cannot_be_read_is_not_gone(known: dict[str, Any]) -> None:
    thought = plan(replace(source_facts({}, (OLD,), (entry_of(OLD),)), **known), NOW)
    assert (pruned(thought), thought.gone) == ([], ())


@pytest.mark.parametrize("live", [(), (applied("old", source="other"),)])
def test_what_is_gone_or_belongs_to_another_source_by_now_is_forgotten_and_stays(live: tuple[Manifest, ...]) -> None:
    thought = left(live)
    assert (pruned(thought), thought.gone) == ([], (entry_of(OLD).place,))


def test_an_object_that_moved_to_another_version_of_its_kind_in_git_stays() -> None:
    text = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: {NAMESPACE}}}\nspec: {{}}\n"
    now = {**applied("web", kind="Deployment"), "apiVersion": "apps/v1"}
    before = {**now, "apiVersion": "apps/v1beta2"}
    kinds = {**KINDS, ("apps/v1beta2", "Deployment"): replace(KINDS["apps/v1", "Deployment"], version="v1beta2")}
    thought = plan(source_facts({"web": text}, (now, before), (entry_of(before),), resources=kinds), NOW)
    assert (pruned(thought), thought.gone) == ([], (entry_of(before).place,))


@pytest.mark.parametrize(
    ("live", "known"),
    [
        (applied("old", **SUSPENDED), {}),
        (OLD, {"namespaces": {NAMESPACE: {**SHOP, "metadata": {"name": NAMESPACE, "annotations": SUSPENDED}}}}),
        (OLD, {"used": frozenset({("ConfigMap", NAMESPACE, "old")})}),
        (OLD, {"settings": replace(SETTINGS, prune=False)}),
        (OLD, {"unopened": "the server does not answer"}),
    ],
)
def test_what_is_suspended_or_used_or_not_to_be_pruned_now_stays_on_record(live: Manifest, known: dict[str, Any]) -> None:
    thought = left((live,), **known)
    assert (pruned(thought), thought.gone) == ([], ())


def test_an_object_of_a_namespace_that_is_gone_itself_may_go() -> None:
    assert pruned(left(namespaces={})) == ["old"]


def test_a_namespace_is_never_removed() -> None:
    space = applied(NAMESPACE, kind="Namespace")
    thought = plan(source_facts({"kept": config("kept")}, (space,), (entry_of(space),)), NOW)
    assert (pruned(thought), thought.gone) == ([], ())


def test_after_an_unreadable_file_or_a_rewritten_history_nothing_is_removed() -> None:
    assert pruned(left(files={"kept": config("kept"), "broken": "kind: ["})) == []
    found = source_facts({"kept": config("kept")}, (OLD,), (entry_of(OLD),))
    assert pruned(plan(replace(found, tip=replace(found.tip, rewritten=True)), NOW)) == []


def test_only_beside_a_workload_in_trouble_does_what_it_may_stand_on_stay() -> None:
    assert pruned(left(files={"web": rollout().replace("kind: Rollout", "kind: Service").replace("argoproj.io/v1alpha1", "v2")})) == []
    assert pruned(left(files={"bad": config("bad").replace("v1", "v2")})) == ["old"]
    elsewhere = rollout().replace("namespace: shop", "namespace: other").replace("argoproj.io/v1alpha1", "argoproj.io/v2")
    assert pruned(left(files={"web": elsewhere})) == ["old"]
