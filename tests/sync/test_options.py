"""Argo CD's options of one object: obeyed, true here by themselves, or said; never silently dropped."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from reconciler_sandbox.apiserver.server import no_faults
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import ObjectRef, labels_of, uid_of
from reconciler.kernel.resources import CONFIGMAPS
from reconciler.sources.inventory import CONFIRMED, config_map_name, digest_of
from reconciler.sources.settings import PruneLimit
from reconciler.sync.drift.carry import RuntimeOwned
from reconciler.sync.facts import SourceFacts
from reconciler.sync.options import Pruning, SyncOptions, option_notes, options_of
from reconciler.sync.plan import plan
from reconciler.sync.wish import in_use
from tests.kit.clusters import NAMESPACE, config_map
from tests.kit.desk import SETTINGS, Desk, config, desk, rollout
from tests.kit.manifests import parsed
from tests.kit.sourcefacts import applied, entry_of, source_facts

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OPTIONS = "argocd.argoproj.io/sync-options"
COMPARE = "argocd.argoproj.io/compare-options"
WAVE = "argocd.argoproj.io/sync-wave"


def annotated(text: str, value: str, annotation: str = OPTIONS) -> str:
    """The manifest with an annotation."""
    if "metadata: {" in text:
        return text.replace("metadata: {", f"metadata: {{annotations: {{{annotation}: '{value}'}}, ", 1)
    return text.replace("metadata:\n", f"metadata:\n  annotations: {{{annotation}: '{value}'}}\n", 1)


def optioned(value: str, kind: str = "ConfigMap", version: str = "v1") -> SyncOptions:
    return options_of({"apiVersion": version, "kind": kind, "metadata": {"name": "a", "annotations": {OPTIONS: value}}})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", SyncOptions()),
        ("Prune=false", SyncOptions(pruning=Pruning.KEPT)),
        ("Prune=confirm", SyncOptions(pruning=Pruning.ASKED)),
        ("Prune=false,Prune=true", SyncOptions()),
        (" Replace=true , Prune=false ", SyncOptions(replaced=True, pruning=Pruning.KEPT)),
        ("Force=true", SyncOptions(forced=True)),
        ("Replace=false,Force=false", SyncOptions()),
        ("PrunePropagationPolicy=foreground", SyncOptions(propagation="Foreground")),
        ("replace=true", SyncOptions()),
    ],
)
def test_an_option_is_obeyed_as_it_is_written(value: str, expected: SyncOptions) -> None:
    assert optioned(value) == expected


@pytest.mark.parametrize(("kind", "version"), [("Namespace", "v1"), ("PersistentVolumeClaim", "v1"), ("Rollout", "argoproj.io/v1alpha1")])
def test_what_would_take_others_along_is_neither_replaced_nor_made_anew(kind: str, version: str) -> None:
    assert optioned("Replace=true,Force=true,Prune=false", kind, version) == SyncOptions(pruning=Pruning.KEPT)


@pytest.mark.parametrize(
    ("annotation", "value", "words"),
    [
        (OPTIONS, "CreateNamespace=true", "sync option CreateNamespace=true means nothing here; it is an option of an Argo CD Application"),
        (OPTIONS, "ServerSideApply=false", "sync option ServerSideApply=false means nothing here"),
        (OPTIONS, "Prune=False", "sync option Prune=False means nothing here"),
        (COMPARE, "ServerSideDiff=true", "compare option ServerSideDiff=true means nothing here"),
        (WAVE, "first", "argocd.argoproj.io/sync-wave 'first' is no whole number: it is taken for 0"),
        (WAVE, "1.5", "is no whole number"),
    ],
)
def test_what_means_nothing_here_is_said_once_for_all_objects(annotation: str, value: str, words: str) -> None:
    source = parsed(a=annotated(config("a"), value, annotation), b=annotated(config("b"), value, annotation))
    [note] = option_notes(source)
    assert note.startswith("ConfigMap shop/a and 1 more: ") and words in note


def test_what_is_true_here_by_itself_and_what_is_obeyed_needs_no_words() -> None:
    served = "Delete=false,Validate=false,SkipDryRunOnMissingResource=true,ServerSideApply=true,PruneLast=true,Prune=confirm,Replace=true"
    source = {"a": annotated(config("a"), served), "b": annotated(config("b"), "IgnoreExtraneous", COMPARE), "c": config("c")}
    assert option_notes(parsed(**source)) == ()
    [note] = option_notes(parsed(a=annotated(rollout(), "Force=true")))
    assert note == "Rollout shop/web: sync option Force=true is not obeyed for a Rollout: too much would go with it"


def left(*options: str, confirmed: str = "", **annotations: str) -> SourceFacts:
    """Objects that left Git, each with its options; two others are still there."""
    gone = [applied(f"old{number}", **{OPTIONS: value, **annotations}) for number, value in enumerate(options)]
    there = [applied("a"), applied("b")]
    live = (*gone, *there)
    files = {"a": config("a"), "b": config("b")}
    settings = replace(SETTINGS, prune_limit=PruneLimit(100, 100))
    return source_facts(files, live, tuple(map(entry_of, live)), settings=settings, confirmed=confirmed)


def test_what_may_not_be_pruned_stays_and_is_said() -> None:
    thought = plan(left("Prune=false", "Prune=true"), NOW)
    assert [prune.place[3] for prune in thought.prunes] == ["old1"]
    assert thought.notes == ("ConfigMap shop/old0: left Git and stays, because it said Prune=false",)


def test_what_is_removed_only_on_a_persons_word_waits_alone() -> None:
    facts = left("Prune=confirm", "", "Prune=confirm")
    thought = plan(facts, NOW)
    assert [prune.place[3] for prune in thought.prunes] == ["old1"]
    assert thought.blocked is not None and thought.blocked.objects == ("ConfigMap shop/old0", "ConfigMap shop/old2")
    assert thought.problems[0].message == (
        "2 objects left Git whose removal a person has to confirm (ConfigMap old0, ConfigMap old2): Prune=confirm"
    )
    assert "pruneLimit" not in thought.problems[0].remedy
    confirmed = plan(replace(facts, confirmed=thought.blocked.digest), NOW)
    assert [prune.place[3] for prune in confirmed.prunes] == ["old0", "old1", "old2"] and confirmed.blocked is None
    other = plan(replace(facts, confirmed=digest_of(facts.inventory.entries[:1])), NOW)
    assert len(other.prunes) == 1, "another set was confirmed"


def test_beyond_the_limit_everything_waits_and_one_word_lets_all_of_it_go() -> None:
    facts = left("Prune=confirm", "", "", "")
    facts = replace(facts, settings=replace(facts.settings, prune_limit=PruneLimit(1, 1)))
    blocked = plan(facts, NOW).blocked
    assert blocked is not None and len(blocked.objects) == 4
    assert len(plan(replace(facts, confirmed=blocked.digest), NOW).prunes) == 4


def test_what_came_last_goes_first_and_as_it_was_asked_for() -> None:
    gone = [applied("first", **{WAVE: "-1"}), applied("last", **{WAVE: "7", OPTIONS: "PrunePropagationPolicy=orphan"}), applied("a")]
    facts = source_facts({"a": config("a")}, tuple(gone), tuple(map(entry_of, gone)))
    found = [(prune.place[3], prune.wave, prune.action.propagation) for prune in plan(facts, NOW).prunes]
    assert found == [("last", 7, "Orphan"), ("first", -1, "Background")]


def test_an_object_that_a_rollout_uses_is_neither_replaced_nor_made_anew_and_that_is_said() -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 0}\n"
    borrowing = {"metadata": {"name": "web", "namespace": NAMESPACE}, "spec": {"workloadRef": {"kind": "Deployment", "name": "web"}}}
    files = {"a": annotated(text, "Replace=true,Force=true")}
    live = {**applied("web", kind="Deployment"), "apiVersion": "apps/v1", "spec": {"replicas": 1}}
    free, used = (plan(source_facts(files, (live,), rollouts=found), NOW) for found in ({}, {(NAMESPACE, "web"): borrowing}))
    assert [(write.replaced, write.forced) for wave in free.waves for write in wave] == [(True, "uid-web")]
    assert [(write.replaced, write.forced) for wave in used.waves for write in wave] == [(False, "")]
    assert free.notes == ()
    assert used.notes == ("Deployment shop/web: Replace=true and Force=true are not obeyed, because a Rollout uses it",)


def test_what_is_routed_or_adopted_is_in_use_as_well() -> None:
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE}}
    routed = RuntimeOwned(routed={("Deployment", NAMESPACE, "web"): lambda desired, _: desired})
    facts = source_facts({})
    assert not in_use(facts, web)
    assert in_use(replace(facts, owned=routed), web)
    assert in_use(replace(facts, adopting={(NAMESPACE, "web"): {}}), web)
    assert not in_use(replace(facts, adopting={(NAMESPACE, "other"): {}}), web)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def beside(shop: Desk, name: str, **metadata: Any) -> None:
    """Somebody else's fields on an object of ours."""
    await shop.api.client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, name), {"metadata": metadata, "data": {"theirs": "x"}})


async def test_a_replaced_object_loses_what_others_set_but_not_what_holds_it(shop: Desk) -> None:
    shop.push({"a.yaml": annotated(config("a"), "Replace=true"), "b.yaml": config("b")})
    await shop.look()
    for name in "ab":
        await beside(shop, name, finalizers=["example.com/hold"], labels={"theirs": "x"})
    shop.push({"a.yaml": annotated(config("a", "2"), "Replace=true"), "b.yaml": config("b", "2")})
    await shop.look()
    replaced, merged = await shop.found(CONFIGMAPS, "a"), await shop.found(CONFIGMAPS, "b")
    assert (replaced["data"], dict(labels_of(replaced))) == ({"a": "2"}, {})
    assert replaced["metadata"]["finalizers"] == ["example.com/hold"]
    assert merged["data"] == {"a": "2", "theirs": "x"}


async def test_a_change_that_is_refused_makes_a_forced_object_anew_and_no_other_one(shop: Desk) -> None:
    async def immutable(call: Call) -> Answer | None:
        body = {"kind": "Status", "status": "Failure", "message": "field is immutable", "reason": "Invalid", "code": 422}
        changed = call.method == "PATCH" and call.path.rpartition("/")[2] in ("a", "b") and b'"2"' in (call.body or b"")
        there = changed and await shop.live(CONFIGMAPS, call.path.rpartition("/")[2]) is not None
        return Answer(422, body) if there else None

    shop.push({"a.yaml": annotated(config("a"), "Force=true"), "b.yaml": config("b")})
    await shop.look()
    before = {name: uid_of(await shop.found(CONFIGMAPS, name)) for name in "ab"}
    shop.api.server.faults = immutable
    shop.push({"a.yaml": annotated(config("a", "2"), "Force=true"), "b.yaml": config("b", "2")})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is None
    shop.clock.time += timedelta(minutes=1)
    await shop.look()
    shop.api.server.faults = no_faults
    after = await shop.found(CONFIGMAPS, "a")
    assert after["data"] == {"a": "2"} and uid_of(after) != before["a"]
    assert uid_of(await shop.found(CONFIGMAPS, "b")) == before["b"]
    assert "ConfigMap shop/b: the server refused it: HTTP 422" in await shop.problems() and "shop/a" not in await shop.problems()


async def test_another_refusal_removes_nothing(shop: Desk) -> None:
    async def forbidden(call: Call) -> Answer | None:
        body = {"kind": "Status", "status": "Failure", "message": "no", "reason": "Forbidden", "code": 403}
        return Answer(403, body) if call.method == "PATCH" and call.path.endswith("configmaps/a") else None

    await shop.api.client.create(CONFIGMAPS, config_map("a", {"a": "1"}))
    shop.api.server.faults = forbidden
    shop.push({"a.yaml": annotated(config("a", "2"), "Force=true")})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is not None


async def test_notes_are_on_record_and_a_confirmation_removes_what_was_asked_about(shop: Desk) -> None:
    files = {f"{name}.yaml": annotated(config(name), "Prune=confirm,CreateNamespace=true") for name in "abcdef"}
    shop.push(files)
    await shop.look()
    [note] = (await shop.inventory()).notes
    assert note.startswith("ConfigMap shop/a and 5 more: sync option CreateNamespace=true")
    shop.push({"a.yaml": None})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is not None
    blocked = (await shop.inventory()).blocked
    assert blocked is not None
    place = ObjectRef(CONFIGMAPS, "reconciler", config_map_name("shop"))
    await shop.api.client.patch(place, {"metadata": {"annotations": {CONFIRMED: blocked.digest}}})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is None and await shop.live(CONFIGMAPS, "b") is not None


async def test_what_cannot_be_removed_keeps_what_was_there_before_it(shop: Desk) -> None:
    async def refusing(call: Call) -> Answer | None:
        body = {"kind": "Status", "status": "Failure", "message": "no", "reason": "Forbidden", "code": 403}
        return Answer(403, body) if call.method == "DELETE" and call.path.endswith("/last") else None

    shop.push({"a.yaml": annotated(config("last"), "1", WAVE), "b.yaml": config("first"), "c.yaml": config("c"), "d.yaml": config("d")})
    await shop.look()
    shop.push({"a.yaml": None, "b.yaml": None})
    shop.api.server.faults = refusing
    await shop.look()
    assert await shop.live(CONFIGMAPS, "first") is not None and "could not be removed" in await shop.problems()
    shop.api.server.faults = no_faults
    await shop.look()
    assert await shop.live(CONFIGMAPS, "first") is None and await shop.live(CONFIGMAPS, "last") is None
