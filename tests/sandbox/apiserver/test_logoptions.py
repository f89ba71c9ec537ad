"""Options of a pod's log."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.logoptions import check


def of(*containers: str, first: tuple[str, ...] = ()) -> dict[str, Any]:
    spec = {"containers": [{"name": name} for name in containers], "initContainers": [{"name": name} for name in first]}
    return {"metadata": {"name": "p"}, "spec": spec}


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ({"tailLines": "x"}, 400, 'parsing "x": invalid syntax'),
        ({"tailLines": "-1"}, 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ({"sinceSeconds": "0"}, 422, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ({"limitBytes": "0"}, 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ({"sinceTime": "yesterday"}, 400, 'parsing time "yesterday"'),
        ({"sinceTime": "2030-01-01T00:00:00Z", "sinceSeconds": "5"}, 422, "at most one of `sinceTime` or `sinceSeconds`"),
        ({"container": "other"}, 400, "container other is not valid for pod p"),
    ],
)
def test_what_makes_no_sense_is_refused(query: dict[str, str], code: int, words: str) -> None:
    with pytest.raises(Failure) as refused:
        check(of("main"), query)
    assert refused.value.code == code and words in refused.value.message


def test_of_several_containers_one_is_named() -> None:
    check(of("a", "b", first=("prepare",)), {"container": "prepare"})
    check(of("a"), {"tailLines": "0", "sinceSeconds": "1"})
    with pytest.raises(Failure) as refused:
        check(of("a", "b"), {})
    assert refused.value.message == "a container name must be specified for pod p, choose one of: [a b]"
    with pytest.raises(Failure, match=r"choose one of: \[a b\] or one of the init containers: \[prepare\]"):
        check(of("a", "b", first=("prepare",)), {})
