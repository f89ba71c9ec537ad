"""Sources are listed and shown as they stand; removals that wait are confirmed as they are."""

from datetime import UTC, datetime, timedelta

from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube.client import Client
from reconciler.sources.drift import Drift, DriftedField
from reconciler.sources.inventory import (
    CONFIRMED,
    BlockedPrune,
    Inventory,
    InventoryEntry,
    config_map_name,
    confirmed_digest,
    opened_until,
    render_inventory,
)
from reconciler.sources.problem import Reason, RecordedProblem
from tests.kit.shell import Shell


async def stock(client: Client) -> None:
    waits = Inventory(blocked=BlockedPrune("d1g35t", ("ConfigMap shop/a", "ConfigMap shop/b")))
    await client.create(CONFIGMAPS, render_inventory("shop", "reconciler", waits))
    await client.create(CONFIGMAPS, render_inventory("calm", "reconciler", Inventory()))


async def confirmed(client: Client) -> str:
    return confirmed_digest(await client.get(CONFIGMAPS, "reconciler", config_map_name("shop")))


def test_what_waits_is_shown_and_confirmed_by_its_digest(sh: Shell) -> None:
    sh.ask(stock)
    ended = sh("source", "confirm", "shop")
    assert (ended.code, ended.output.splitlines()) == (
        0,
        ["will be removed: ConfigMap shop/a", "will be removed: ConfigMap shop/b", "2 removals are confirmed"],
    )
    assert sh.ask(confirmed) == "d1g35t" and CONFIRMED.startswith("reconciler.dev/")


def test_where_nothing_waits_nothing_is_confirmed(sh: Shell) -> None:
    sh.ask(stock)
    assert "no removal waits" in sh("source", "confirm", "calm").errors
    assert sh("source", "confirm", "nobody").code == 3


async def opened(client: Client) -> datetime | None:
    return opened_until(await client.get(CONFIGMAPS, "reconciler", config_map_name("shop")))


def test_a_source_is_opened_for_a_while_and_closed_again(sh: Shell) -> None:
    sh.ask(stock)
    before = datetime.now(UTC)
    ended = sh("source", "open", "shop", "--for", "30m")
    until = sh.ask(opened)
    assert ended.code == 0 and until is not None and ended.output.startswith("source shop may be written until ")
    assert timedelta(minutes=29) < until - before < timedelta(minutes=31)
    assert sh("source", "open", "shop", "--for", "0s").code == 0
    assert sh.ask(opened) is None
    assert sh("source", "open", "nobody").code == 3


FIELD = DriftedField("spec.replicas", "/spec/replicas", "kubectl-edit", "2026-11-29T10:00:00Z")
REMOVED = DriftedField("data.a", "/data/a", "", "2026-11-29T10:00:00Z")


async def drifting(client: Client) -> None:
    problem = RecordedProblem(reason=Reason.DRIFTED, file="web.yaml", line=3, message="Deployment shop/web is not as Git has it")
    drifts = (Drift(object="Deployment shop/web", fields=(FIELD,)), Drift(object="ConfigMap shop/a", fields=(REMOVED,)))
    entry = InventoryEntry(("apps/v1", "Deployment", "shop", "web"), "u")
    known = Inventory(commit="c0ffee" * 6, entries=(entry,), drifts=drifts, drifted=2, problems=(problem,))
    await client.create(CONFIGMAPS, render_inventory("live", "reconciler", known))


def test_sources_are_listed_with_what_others_have_changed(sh: Shell) -> None:
    assert sh("source", "list").output == "no source has been followed in this cluster yet\n"
    sh.ask(stock)
    sh.ask(drifting)
    ended = sh("source", "list")
    assert ended.code == 0
    assert [line.split() for line in ended.output.splitlines()] == [
        ["NAME", "COMMIT", "OBJECTS", "DRIFTED", "PROBLEMS", "WAITS-FOR"],
        ["calm", "-", "0", "0", "0", "-"],
        ["live", "c0ffeec0ffee", "1", "2", "1", "-"],
        ["shop", "-", "0", "0", "0", "a", "person"],
    ]
    assert [one["name"] for one in sh("source", "list", "-o", "json").json] == ["calm", "live", "shop"]


def test_a_source_is_shown_with_each_field_who_changed_it_and_since_when(sh: Shell) -> None:
    sh.ask(stock)
    sh.ask(drifting)
    ended = sh("source", "show", "live")
    assert (ended.code, ended.output.splitlines()) == (
        1,
        [
            "live at c0ffeec0ffee: 1 objects, 0 workloads",
            "problem: web.yaml:3: Deployment shop/web is not as Git has it",
            "drift: Deployment shop/web spec.replicas by kubectl-edit, since 2026-11-29T10:00:00Z",
            "drift: ConfigMap shop/a data.a removed, since 2026-11-29T10:00:00Z",
        ],
    )
    assert sh("source", "show", "live", "-o", "json").json["drifts"][0]["fields"][0]["by"] == "kubectl-edit"
    shown = sh("source", "show", "shop")
    assert shown.code == 0 and "to remove these: reconciler source confirm shop" in shown.output
    assert sh("source", "show", "nobody").code == 3
