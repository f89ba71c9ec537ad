"""Options of lists and watches."""

import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.listing import exact_version, number, validate, validate_watch, version_of


def test_a_version_is_exact_when_asked_for_or_when_only_a_page_is_wanted() -> None:
    assert exact_version({}) == exact_version({"resourceVersion": "5"}) == exact_version({"limit": "2"}) == 0
    assert (
        exact_version({"resourceVersion": "5", "resourceVersionMatch": "Exact"})
        == exact_version({"resourceVersion": "5", "limit": "2"})
        == 5
    )
    assert exact_version({"resourceVersion": "5", "limit": "2", "resourceVersionMatch": "NotOlderThan"}) == 0


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ({"resourceVersionMatch": "Exact"}, 422, "is forbidden unless resourceVersion is provided"),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422, 'is forbidden for resourceVersion "0"'),
        ({"resourceVersionMatch": "Nope", "resourceVersion": "1"}, 422, 'Unsupported value: "Nope"'),
        ({"resourceVersionMatch": "Exact", "continue": "x"}, 422, "is forbidden when continue is provided"),
        ({"continue": "x", "resourceVersion": "5"}, 400, "not allowed when using continue"),
        ({"timeoutSeconds": "soon"}, 400, "invalid syntax"),
    ],
)
def test_what_makes_no_sense_together_is_refused(query: dict[str, str], code: int, words: str) -> None:
    with pytest.raises(Failure) as refused:
        validate(query)
    assert refused.value.code == code and words in refused.value.message


def test_a_watch_with_the_list_in_front_says_from_when() -> None:
    assert validate_watch({"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"})
    assert not validate_watch({})
    for query in ({"sendInitialEvents": "true"}, {"resourceVersionMatch": "NotOlderThan"}):
        with pytest.raises(Failure) as refused:
            validate_watch(query)
        assert refused.value.code == 422


def test_numbers_are_numbers() -> None:
    assert (number({"limit": "-1"}, "limit"), number({}, "limit"), version_of({"resourceVersion": ""})) == (-1, 0, 0)
    with pytest.raises(Failure) as refused:
        version_of({"resourceVersion": "-1"})
    assert refused.value.code == 400
