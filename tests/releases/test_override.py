"""An override holds as long as Git asks for what it asked for then."""

from reconciler.releases.override import in_force, overridden
from tests.kit.releases import rollout


def test_an_override_holds_until_git_asks_for_something_else() -> None:
    known = rollout()
    known["metadata"]["annotations"]["reconciler.dev/override"] = "asked"
    assert overridden(known) == "asked"
    assert in_force(known, "asked")
    assert not in_force(known, "something else")


def test_without_a_mark_or_a_rollout_nothing_is_overridden() -> None:
    assert (overridden(rollout()), overridden(None)) == ("", "")
    assert not in_force(rollout(), "") and not in_force(None, "asked")
