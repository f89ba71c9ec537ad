"""What the informers have seen, and what a late or old message cannot undo."""

import pytest

from reconciler.app.indexes import INDEXES
from reconciler.kernel.identity import Manifest, name_of
from reconciler.kernel.resources import CONFIGMAPS, REPLICA_SETS, SECRETS
from reconciler.kube.cache import Cache
from reconciler.rollouts.indexes import orphan_word


def thing(name: str, version: int | str = 1, *, owner: str = "", uid: str = "u", namespace: str = "shop") -> Manifest:
    owners = [{"kind": "Rollout", "uid": owner, "controller": True}] if owner else []
    metadata = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": str(version), "ownerReferences": owners}
    return {"kind": "ConfigMap", "metadata": metadata}


@pytest.fixture
def cache() -> Cache:
    return Cache((CONFIGMAPS, REPLICA_SETS), INDEXES)


def test_objects_are_found_by_place_and_listed_by_namespace(cache: Cache) -> None:
    cache.put(CONFIGMAPS, thing("a"))
    cache.put(CONFIGMAPS, thing("a", namespace="other"))
    assert cache.get(CONFIGMAPS, "shop", "a") == thing("a")
    assert cache.get(REPLICA_SETS, "shop", "a") is None
    assert (len(cache.list(CONFIGMAPS, "shop")), len(cache.list(CONFIGMAPS))) == (1, 2)
    cache.remove(CONFIGMAPS, thing("a", 2))
    assert (cache.list(CONFIGMAPS, "shop"), len(cache.list(CONFIGMAPS))) == ((), 1)


def test_reading_what_nobody_watches_is_a_bug(cache: Cache) -> None:
    with pytest.raises(KeyError):
        cache.list(SECRETS)


def test_an_older_state_never_replaces_a_newer_one(cache: Cache) -> None:
    cache.put(CONFIGMAPS, thing("a", 9))
    cache.put(CONFIGMAPS, thing("a", 10))
    cache.put(CONFIGMAPS, thing("a", 9))
    assert cache.get(CONFIGMAPS, "shop", "a") == thing("a", 10)


def test_news_of_a_deleted_object_does_not_touch_the_one_made_since(cache: Cache) -> None:
    cache.put(CONFIGMAPS, thing("a", 10, uid="second"))
    cache.put(CONFIGMAPS, thing("a", 7, uid="first"))
    cache.remove(CONFIGMAPS, thing("a", 8, uid="first"))
    assert cache.get(CONFIGMAPS, "shop", "a") == thing("a", 10, uid="second")
    cache.remove(CONFIGMAPS, thing("a", 11, uid="second"))
    assert cache.get(CONFIGMAPS, "shop", "a") is None


def test_versions_that_are_no_numbers_are_taken_as_they_come(cache: Cache) -> None:
    cache.put(CONFIGMAPS, thing("a", "x9"))
    cache.put(CONFIGMAPS, thing("a", "x1"))
    assert cache.get(CONFIGMAPS, "shop", "a") == thing("a", "x1")


def test_owned_objects_follow_their_owner(cache: Cache) -> None:
    cache.put(REPLICA_SETS, thing("a", 1, owner="one"))
    cache.put(REPLICA_SETS, thing("b", 1, owner="one"))
    assert len(cache.owned(REPLICA_SETS, "one")) == 2
    cache.put(REPLICA_SETS, thing("a", 2, owner="two"))
    assert [m["metadata"]["name"] for m in cache.owned(REPLICA_SETS, "one")] == ["b"]
    cache.drop(REPLICA_SETS, "shop", "b")
    assert cache.owned(REPLICA_SETS, "one") == ()
    assert len(cache.owned(REPLICA_SETS, "two")) == 1


def test_forgetting_what_is_not_there_is_nothing(cache: Cache) -> None:
    cache.drop(CONFIGMAPS, "shop", "a")
    cache.remove(CONFIGMAPS, thing("a"))
    assert cache.places(CONFIGMAPS) == ()


def test_a_list_names_what_is_gone_and_keeps_what_was_written_after_it(cache: Cache) -> None:
    cache.put(CONFIGMAPS, thing("gone", 3))
    cache.put(CONFIGMAPS, thing("written", 12))
    cache.put(CONFIGMAPS, thing("created", 13))
    gone = cache.relist(CONFIGMAPS, [thing("written", 5), thing("new", 6)], "10")
    assert [m["metadata"]["name"] for m in gone] == ["gone"]
    assert cache.get(CONFIGMAPS, "shop", "written") == thing("written", 12)
    assert cache.get(CONFIGMAPS, "shop", "created") is not None
    assert cache.get(CONFIGMAPS, "shop", "new") is not None


def test_a_server_that_was_restored_from_a_backup_is_believed_on_the_next_list(cache: Cache) -> None:
    cache.put(CONFIGMAPS, thing("a", 900))
    cache.relist(CONFIGMAPS, [thing("a", 20)], "905")
    assert cache.get(CONFIGMAPS, "shop", "a") == thing("a", 20)


def test_objects_are_listed_under_their_words_as_long_as_they_have_them(cache: Cache) -> None:
    cache.put(REPLICA_SETS, thing("a", 1))
    cache.put(REPLICA_SETS, thing("b", 2, owner="web"))
    assert [name_of(one) for one in cache.indexed(REPLICA_SETS, orphan_word("shop"))] == ["a"]
    cache.put(REPLICA_SETS, thing("a", 3, owner="web"))
    assert cache.indexed(REPLICA_SETS, orphan_word("shop")) == ()
    cache.put(REPLICA_SETS, thing("b", 4))
    assert [name_of(one) for one in cache.indexed(REPLICA_SETS, orphan_word("shop"))] == ["b"]
    cache.remove(REPLICA_SETS, thing("b", 5))
    assert cache.indexed(REPLICA_SETS, orphan_word("shop")) == cache.indexed(CONFIGMAPS, "anything") == ()


def test_an_object_is_parsed_once_a_state_and_forgotten_with_it(cache: Cache) -> None:
    parsed: list[str] = []

    def parse(manifest: Manifest) -> str:
        parsed.append(manifest["metadata"]["resourceVersion"])
        return str(parsed[-1])

    first, second, stranger = thing("a", 1), thing("a", 2), thing("b", 3)
    cache.put(CONFIGMAPS, first)
    assert [cache.view(CONFIGMAPS, first, parse) for _ in range(2)] == ["1", "1"]
    cache.put(CONFIGMAPS, second)
    assert cache.view(CONFIGMAPS, second, parse) == "2" and parsed == ["1", "2"]
    assert cache.view(CONFIGMAPS, first, parse) == "1" and cache.view(CONFIGMAPS, second, parse) == "2", "an older state is read as it is"
    cache.drop(CONFIGMAPS, "shop", "a")
    assert cache.view(CONFIGMAPS, second, parse) == cache.view(CONFIGMAPS, second, parse) == "2" and parsed[3:] == ["2", "2"]
    assert cache.view(CONFIGMAPS, stranger, parse) == "3"
