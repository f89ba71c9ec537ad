"""Removal is careful: only what this source applied, never too much, never the precious kinds."""

from reconciler.sources.inventory import InventoryEntry, digest_of
from reconciler.sources.settings import PruneLimit
from reconciler.sync.prune import behind, removals


def entries(count: int) -> list[InventoryEntry]:
    return [InventoryEntry(("v1", "ConfigMap", "shop", f"c{index}"), f"uid{index}") for index in range(count)]


def test_what_left_git_is_removed() -> None:
    assert removals(entries(1), 10, PruneLimit(), "").entries == tuple(entries(1))


def test_an_emptied_folder_prunes_nothing() -> None:
    found = removals(entries(3), 0, PruneLimit(100, 100), "")
    assert found.entries == () and found.blocked is not None


def test_more_than_the_limit_waits_for_a_person() -> None:
    assert removals(entries(3), 10, PruneLimit(), "").blocked is not None
    assert removals(entries(11), 100, PruneLimit(), "").blocked is not None
    assert len(removals(entries(10), 100, PruneLimit(), "").entries) == 10


def test_two_objects_of_a_small_source_may_always_go() -> None:
    assert len(removals(entries(2), 3, PruneLimit(), "").entries) == 2


def test_a_confirmation_is_good_for_exactly_these_objects() -> None:
    confirmed = digest_of(entries(3))
    assert removals(entries(3), 0, PruneLimit(), confirmed).entries == tuple(entries(3))
    assert removals(entries(4), 10, PruneLimit(), confirmed).entries == ()


def test_what_may_stand_in_a_file_that_nobody_can_read_has_not_left() -> None:
    entry = InventoryEntry(("v1", "ConfigMap", "shop", "a"), "u", "apps/a.yaml")
    assert behind(entry, ["apps/a.yaml"]) and behind(entry, ["apps"])
    assert not behind(entry, ["app", "apps/b.yaml"]) and not behind(entry, [])
    assert behind(InventoryEntry(entry.place, "u"), ["x.yaml"]), "an earlier version did not say where it stood"
