"""HTTPRetry → Envoy's retry policy, with Istio's default of two more tries where no server has answered."""

from reconciler_sandbox.mesh.translate.expressions import duration
from reconciler_sandbox.mesh.translate.terms import TYPE, Json

DEFAULT_RETRIES = 2
DEFAULT_CONDITIONS = "connect-failure,refused-stream,unavailable,cancelled"
ANOTHER_HOST = {
    "name": "envoy.retry_host_predicates.previous_hosts",
    "typed_config": {"@type": TYPE + "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
}


def retry_policy(retries: Json | None) -> Json | None:
    """None when the object says `attempts: 0`; Istio's default when it says nothing."""
    if retries is None:
        return _policy(DEFAULT_RETRIES, {})
    attempts = int(retries.get("attempts") or 0)
    return _policy(attempts, retries) if attempts > 0 else None


def _policy(attempts: int, retries: Json) -> Json:
    policy: Json = {
        "num_retries": attempts,
        **_conditions(retries.get("retryOn")),
        "retry_host_predicate": [ANOTHER_HOST],
        "host_selection_retry_max_attempts": 5,
    }
    if retries.get("perTryTimeout"):
        policy["per_try_timeout"] = duration(retries["perTryTimeout"])
    if retries.get("backoff"):
        policy["retry_back_off"] = {"base_interval": duration(retries["backoff"])}
    return policy


def _conditions(retry_on: str | None) -> Json:
    """Istio allows status codes between Envoy's condition names."""
    if not retry_on:
        return {"retry_on": DEFAULT_CONDITIONS}  # an answer 503 is the server's own: Istio hands it on
    words = [word.strip() for word in retry_on.split(",") if word.strip()]
    codes = [int(word) for word in words if word.isdigit()]
    names = [word for word in words if not word.isdigit()]
    if codes and "retriable-status-codes" not in names:
        names.append("retriable-status-codes")
    return {"retry_on": ",".join(names), **({"retriable_status_codes": codes} if codes else {})}
