"""A copy of a record with some fields changed is what `dataclasses.replace` makes."""

from dataclasses import FrozenInstanceError, dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.records import evolve
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.status.model import RolloutStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    x: int
    y: int = 2
    name: str = ""


FIELDS = st.fixed_dictionaries({}, optional={"x": st.integers(), "y": st.integers(), "name": st.text()})


@given(before=st.builds(Point, x=st.integers(), y=st.integers(), name=st.text()), fields=FIELDS)
def test_a_changed_record_is_what_replace_makes(before: Point, fields: dict[str, object]) -> None:
    former = replace(before)
    after = evolve(before, **fields)
    assert after == replace(before, **fields) and type(after) is Point  # type: ignore[arg-type]
    assert before == former and hash(after) == hash(replace(before, **fields))  # type: ignore[arg-type]


def test_it_stays_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        evolve(Point(x=1), y=3).y = 4  # type: ignore[misc]


def test_a_field_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError, match="z"):
        evolve(Point(x=1), z=3)


@pytest.mark.parametrize("kind", [Pass, RolloutStatus])
def test_what_is_copied_so_has_nothing_to_do_when_it_is_made(kind: type) -> None:
    assert not hasattr(kind, "__post_init__")
