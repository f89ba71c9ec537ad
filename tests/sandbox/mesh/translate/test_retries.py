"""Istio's retry rules."""

from reconciler_sandbox.mesh.translate.retries import retry_policy


def test_nothing_said_is_two_more_tries_where_no_server_has_answered() -> None:
    policy = retry_policy(None)
    assert policy is not None
    assert (policy["num_retries"], policy["retry_on"]) == (2, "connect-failure,refused-stream,unavailable,cancelled")
    assert "retriable_status_codes" not in policy


def test_zero_attempts_is_no_retry() -> None:
    assert retry_policy({"attempts": 0}) is None


def test_codes_may_stand_between_conditions() -> None:
    policy = retry_policy({"attempts": 3, "retryOn": "5xx, 429", "perTryTimeout": "1s", "backoff": "10ms"})
    assert policy is not None
    assert (policy["num_retries"], policy["retry_on"], policy["retriable_status_codes"]) == (3, "5xx,retriable-status-codes", [429])
    assert (policy["per_try_timeout"], policy["retry_back_off"]) == ("1s", {"base_interval": "0.01s"})


def test_conditions_without_codes_have_no_list_of_codes() -> None:
    assert "retriable_status_codes" not in (retry_policy({"attempts": 1, "retryOn": "5xx"}) or {})
