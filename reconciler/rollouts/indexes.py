"""By which words Rollouts and ReplicaSets are found without looking at all of them."""

from reconciler.kernel.identity import Manifest, controller_uid, namespace_of

SERVICE_FIELDS = ("canaryService", "stableService", "activeService", "previewService")


def orphan_word(namespace: str) -> str:
    """What has no controller in a namespace, and so may be adopted."""
    return f"orphan {namespace}"


def orphan_words(manifest: Manifest) -> tuple[str, ...]:
    return () if controller_uid(manifest) else (orphan_word(namespace_of(manifest)),)


def borrower_word(kind: str, namespace: str, name: str) -> str:
    """Rollouts that borrow the template of this object."""
    return f"borrows {kind} {namespace}/{name}"


def service_word(namespace: str, name: str) -> str:
    """Rollouts that name this Service."""
    return f"service {namespace}/{name}"


def rollout_words(rollout: Manifest) -> tuple[str, ...]:
    """A Rollout is listed under what it refers to by name (contract 1.6, 1.4)."""
    spec, namespace = _object(rollout.get("spec")), namespace_of(rollout)
    reference, strategy = _object(spec.get("workloadRef")), _object(spec.get("strategy"))
    fields = _object(strategy.get("canary")) or _object(strategy.get("blueGreen"))
    services = dict.fromkeys(service_word(namespace, str(fields[field])) for field in SERVICE_FIELDS if fields.get(field))
    borrowed = (borrower_word(str(reference.get("kind")), namespace, str(reference.get("name"))),) if reference else ()
    return (*borrowed, *services)


def _object(value: object) -> Manifest:
    return value if isinstance(value, dict) else {}
