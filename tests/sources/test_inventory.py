"""The one memory of a sync survives its ConfigMap, and people's hands."""

from reconciler.sources.inventory import Inventory, InventoryEntry, next_entries, parse_inventory, render_inventory, workload_key

PLACE = ("v1", "ConfigMap", "shop", "a")
OTHER = ("v1", "ConfigMap", "shop", "b")


def test_an_inventory_comes_back_as_it_was_written() -> None:
    inventory = Inventory(
        commit="c" * 40, entries=(InventoryEntry(PLACE, "u"),), workloads={workload_key("shop", "Rollout", "web"): "id"}, problems=("p",)
    )
    assert parse_inventory(render_inventory("shop", "reconciler", inventory)) == inventory


def test_none_and_a_broken_one_are_empty() -> None:
    assert parse_inventory(None) == Inventory()
    assert parse_inventory({"data": {"inventory": "{broken"}}) == Inventory()


def test_entries_stay_until_they_are_removed() -> None:
    before = (InventoryEntry(PLACE, "u"), InventoryEntry(OTHER, "v"))
    assert next_entries(before, {PLACE: "u2"}, ()) == (InventoryEntry(PLACE, "u2"), InventoryEntry(OTHER, "v"))
    assert next_entries(before, {PLACE: "u"}, (before[1],)) == (InventoryEntry(PLACE, "u"),)
