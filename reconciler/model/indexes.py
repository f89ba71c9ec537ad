"""By which words objects are found without looking at all of them; whoever reads by a word and whoever keeps the lists agree here."""

from collections.abc import Callable, Mapping

from reconciler.model.identity import Manifest, Resource, controller_uid, namespace_of
from reconciler.model.resources import RELEASES, REPLICA_SETS, ROLLOUTS

SERVICE_FIELDS = ("canaryService", "stableService", "activeService", "previewService")
Index = Callable[[Manifest], tuple[str, ...]]
"""The words of one object; each at most once, whatever shape a stranger gave the object."""


def workload_word(namespace: str, name: str) -> str:
    """Releases of the Rollout of this name."""
    return f"workload {namespace}/{name}"


def pull_word(source: str, environment: str, number: int) -> str:
    """Releases that one pull request asked for in one environment: they share a comment."""
    return f"pull {source}/{environment}/{number}"


def release_words(release: Manifest) -> tuple[str, ...]:
    """A Release is listed under its workload, and under its pull request if it has one."""
    spec = _object(release.get("spec"))
    number = _object(spec.get("pull")).get("number")
    pulls = (pull_word(str(spec.get("source")), str(spec.get("environment")), number),) if isinstance(number, int) else ()
    return (workload_of(release), *pulls)


def workload_of(release: Manifest) -> str:
    """The word of the workload that a Release is about."""
    workload = _object(_object(release.get("spec")).get("workload"))
    return workload_word(namespace_of(release), str(workload.get("name")))


def _object(value: object) -> Manifest:
    return value if isinstance(value, dict) else {}


def orphan_word(namespace: str) -> str:
    """What nobody controls in a namespace, so that somebody may adopt it."""
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


INDEXES: Mapping[Resource, Index] = {RELEASES: release_words, REPLICA_SETS: orphan_words, ROLLOUTS: rollout_words}
