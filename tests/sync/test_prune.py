"""Removal is careful: only what this source applied, never too much, never the precious kinds."""

from reconciler.sources.inventory import InventoryEntry, Place
from reconciler.sources.settings import PruneLimit
from reconciler.sync.prune import removals


def place(name: str, kind: str = "ConfigMap") -> Place:
    return ("v1", kind, "shop", name)


def entries(count: int) -> list[InventoryEntry]:
    return [InventoryEntry(place(f"c{index}"), f"uid{index}") for index in range(count)]


def desired(names: range) -> set[Place]:
    return {place(f"c{index}") for index in names}


def test_what_left_git_is_removed_by_uid() -> None:
    assert removals(entries(10), desired(range(1, 10)), PruneLimit()).entries == (InventoryEntry(place("c0"), "uid0"),)


def test_an_emptied_folder_prunes_nothing() -> None:
    found = removals(entries(3), set(), PruneLimit(100, 100))
    assert found.entries == () and found.blocked is not None


def test_more_than_the_limit_waits_for_a_person() -> None:
    assert removals(entries(10), desired(range(3, 10)), PruneLimit()).blocked is not None
    assert removals(entries(100), desired(range(11, 100)), PruneLimit()).blocked is not None
    assert len(removals(entries(100), desired(range(10, 100)), PruneLimit()).entries) == 10


def test_one_object_of_a_small_source_may_always_go() -> None:
    assert len(removals(entries(2), desired(range(1, 2)), PruneLimit()).entries) == 1


def test_namespaces_and_definitions_are_never_removed() -> None:
    kept = [InventoryEntry(("v1", kind, "", "x"), "u") for kind in ("Namespace", "CustomResourceDefinition", "PersistentVolumeClaim")]
    assert removals([*kept, *entries(1)], desired(range(1)), PruneLimit()).entries == ()
