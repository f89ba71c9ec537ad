"""A report knows what was missed."""

from tests.kit.rehearsal import entry, outcome, report


def test_what_was_missed_is_what_did_not_hold() -> None:
    held, missed = outcome("a"), outcome("b", held=False)
    told = report(entry("a", "outcome", came=held), entry("b", "outcome", came=missed))
    assert (told.outcomes, told.missed) == ([held, missed], [missed])
