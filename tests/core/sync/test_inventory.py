"""The one memory of a sync survives its ConfigMap, and people's hands."""

from reconciler.core.sync.inventory import Inventory, next_entries, parse_inventory, render_inventory, workload_key
from reconciler.core.sync.prune import Entry

PLACE = ("v1", "ConfigMap", "shop", "a")
OTHER = ("v1", "ConfigMap", "shop", "b")


def test_an_inventory_comes_back_as_it_was_written() -> None:
    inventory = Inventory(
        commit="c" * 40, entries=(Entry(PLACE, "u"),), workloads={workload_key("shop", "Rollout", "web"): "id"}, problems=("p",)
    )
    assert parse_inventory(render_inventory("shop", "reconciler", inventory)) == inventory


def test_none_and_a_broken_one_are_empty() -> None:
    assert parse_inventory(None) == Inventory()
    assert parse_inventory({"data": {"inventory": "{broken"}}) == Inventory()


def test_entries_stay_until_they_are_removed() -> None:
    before = (Entry(PLACE, "u"), Entry(OTHER, "v"))
    assert next_entries(before, {PLACE: "u2"}, ()) == (Entry(PLACE, "u2"), Entry(OTHER, "v"))
    assert next_entries(before, {PLACE: "u"}, (before[1],)) == (Entry(PLACE, "u"),)
