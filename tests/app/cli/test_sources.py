"""Removals that wait are confirmed as they are."""

from datetime import UTC, datetime, timedelta

from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube.client import Client
from reconciler.sources.inventory import (
    CONFIRMED,
    BlockedPrune,
    Inventory,
    config_map_name,
    confirmed_digest,
    opened_until,
    render_inventory,
)
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
