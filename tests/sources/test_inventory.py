"""The one memory of a sync survives its ConfigMap, and people's hands."""

import json
from dataclasses import replace
from uuid import uuid4

from reconciler.sources.inventory import (
    SHOWN,
    Inventory,
    InventoryEntry,
    digest_of,
    next_entries,
    parse_inventory,
    render_inventory,
    replacing,
    workload_key,
)
from reconciler.sources.problem import Reason, RecordedProblem

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
    assert next_entries(before, {PLACE: ("u2", "a.yaml")}, ()) == (InventoryEntry(PLACE, "u2", "a.yaml"), InventoryEntry(OTHER, "v"))
    assert next_entries(before, {PLACE: ("u", "")}, (OTHER,)) == (InventoryEntry(PLACE, "u"),)


def test_an_inventory_of_an_earlier_version_is_read() -> None:
    text = '{"commit":"c","entries":[{"place":["v1","ConfigMap","shop","a"],"uid":"u"}],"workloads":{},"problems":["words"]}'
    found = parse_inventory({"data": {"inventory": text}})
    assert (found.entries, found.problems) == ((InventoryEntry(PLACE, "u"),), ("words",))


def test_thousands_of_objects_fit_into_one_config_map() -> None:
    entries = tuple(
        InventoryEntry(("apps/v1", "Deployment", f"team-{n % 50}", f"service-{n}"), str(uuid4()), f"environments/production/team-{n}.yaml")
        for n in range(5000)
    )
    inventory = Inventory(commit="c" * 40, entries=entries, problems=(RecordedProblem(reason=Reason.REFUSED, message="no"),))
    rendered = render_inventory("shop", "reconciler", inventory)
    assert len(json.dumps(rendered)) < 900_000
    assert parse_inventory(rendered) == inventory
    small = replace(inventory, entries=entries[:2])
    patched = {**rendered, "data": {}, "binaryData": {}}
    for part, values in replacing(render_inventory("shop", "reconciler", small)).items():
        patched[part] = {key: value for key, value in values.items() if value is not None}
    assert parse_inventory(patched) == small


def test_a_set_of_objects_is_confirmed_whole_or_not_at_all() -> None:
    one, other = InventoryEntry(PLACE, "u"), InventoryEntry(OTHER, "v")
    assert digest_of([one, other]) == digest_of([other, one])
    assert digest_of([one]) != digest_of([one, other]) != digest_of([one, InventoryEntry(OTHER, "made anew")])


def test_people_are_told_how_many_lines_are_left_out_where_some_are() -> None:
    def told(count: int) -> list[str]:
        lines = tuple(f"line {number}" for number in range(count))
        return str(render_inventory("shop", "reconciler", Inventory(ignored=lines))["data"]["ignored"]).split("\n")

    assert told(SHOWN) == [f"line {number}" for number in range(SHOWN)]
    assert told(SHOWN + 2)[SHOWN:] == ["… and 2 more"]
