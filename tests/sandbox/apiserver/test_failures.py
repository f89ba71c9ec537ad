"""Refusals in the exact words of a real server."""

import orjson
import pytest
from reconciler_sandbox.apiserver import failures
from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.kinds import BUILT_IN, PODS

DEPLOYMENTS = next(kind for kind in BUILT_IN if kind.plural == "deployments")


def test_a_status_names_the_plural_and_the_group() -> None:
    status = orjson.loads(failures.not_found(DEPLOYMENTS, "x").body())
    assert status == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps "x" not found',
        "reason": "NotFound",
        "details": {"name": "x", "group": "apps", "kind": "deployments"},
        "code": 404,
    }


@pytest.mark.parametrize(
    ("failure", "code", "reason", "message"),
    [
        (failures.already_exists(PODS, "x"), 409, "AlreadyExists", 'pods "x" already exists'),
        (failures.already_exists(PODS, "x", deleting=True), 409, "AlreadyExists", 'object is being deleted: pods "x" already exists'),
        (
            failures.conflict(PODS, "x"),
            409,
            "Conflict",
            'Operation cannot be fulfilled on pods "x": the object has been modified; '
            "please apply your changes to the latest version and try again",
        ),
        (failures.forbidden(PODS, "x", "no"), 403, "Forbidden", 'pods "x" is forbidden: no'),
        (failures.too_large(), 413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"),
        (failures.bad_patch("why"), 422, "Invalid", "the server rejected our request due to an error in our request"),
    ],
)
def test_each_refusal_has_its_words(failure: failures.Failure, code: int, reason: str, message: str) -> None:
    assert (failure.code, failure.reason, failure.message) == (code, reason, message)


def test_several_causes_are_listed() -> None:
    causes = [Cause("spec.a", "Required value", "Required"), Cause("", "no")]
    failure = failures.invalid(DEPLOYMENTS, "x", causes)
    assert failure.message == 'Deployment.apps "x" is invalid: [spec.a: Required value, no]'
    assert failure.details["causes"][0] == {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.a"}


def test_try_again_later_says_when() -> None:
    assert failures.too_many_requests("busy", 1).headers == {"Retry-After": "1"}
    assert failures.too_many_requests("busy", 0).headers == {}
