"""Blue/green sizes: contract 2.7."""

import pytest

from reconciler.rollouts.replicas.bluegreen import Preview, preview_count

WAITING = {"size": 1, "active_hash": "a", "new_hash": "b", "current_hash": "b"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 1),
        ({"size": None}, 4),
        ({"active_hash": ""}, 4),
        ({"active_hash": "b"}, 4),
        ({"promote_full": True}, 4),
        ({"passed": True}, 4),
        ({"passed": True, "paused": True}, 1),
        ({"passed": True, "current_hash": "a"}, 1),
        ({"size": 0}, 0),
    ],
)
def test_a_preview_stays_small_until_its_checkpoint(change: dict[str, object], expected: int) -> None:
    assert preview_count(4, Preview(**{**WAITING, **change})) == expected
