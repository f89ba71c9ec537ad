"""Rules that several strategies share (contract 12.2)."""

from reconciler.rollouts.validation.rules import PREFERRED, REQUIRED, affinity_problems, argument_problems, negative_problems, same_services


def argument(path: str) -> dict[str, object]:
    return {"args": [{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": path}}}]}


def test_only_negative_numbers_are_told() -> None:
    assert [p.field for p in negative_problems({"a": 0, "b": -1})] == ["b"]


def test_an_affinity_is_exactly_one_kind_with_a_sane_weight() -> None:
    assert list(affinity_problems("f", None)) == list(affinity_problems("f", {REQUIRED: {}})) == []
    assert list(affinity_problems("f", {PREFERRED: {"weight": 100}})) == []
    assert [p.field for p in affinity_problems("f", {PREFERRED: {"weight": 101}})] == ["f.weight"]
    assert len(list(affinity_problems("f", {REQUIRED: {}, PREFERRED: {"weight": 1}}))) == 1


def test_a_metadata_path_must_be_one_of_the_downward_api() -> None:
    for path in ("metadata.name", "metadata.labels['a/b']", "metadata.annotations", "spec.replicas"):
        assert list(argument_problems("f", {}, argument(path))) == [], path
    assert len(list(argument_problems("f", {}, argument("metadata.generation")))) == 1


def test_the_same_service_twice_has_its_own_words() -> None:
    assert str(same_services("f", "x", "active", "preview")).startswith('f: Invalid value: "x": This rollout uses the same service')
