"""Which rollouts an event concerns."""

from reconciler.app.indexes import INDEXES
from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, DEPLOYMENTS, EXPERIMENTS, REPLICA_SETS, ROLLOUTS, SERVICES
from reconciler.kernel.well_known import MANAGED_BY
from reconciler.kube.cache import Cache
from reconciler.rollouts.observe_keys import concerned
from tests.kit.passes import replica_set
from tests.kit.rollouts import analysis_template, canary, deployment, measured, rollout, service
from tests.kit.store import merged

PLAIN = rollout(canary=canary(), name="plain")
ROUTED = rollout(canary=canary(measured(), istio=True))
BORROWING = rollout(canary=canary(), name="borrowing", workloadRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"})


def names(resource: Resource, manifest: Manifest) -> set[str]:
    cache = Cache((ROLLOUTS,), INDEXES)
    for known in (PLAIN, ROUTED, BORROWING):
        cache.put(ROLLOUTS, known)
    return {name for _, name in concerned(resource, manifest, cache)}


def test_a_rollout_concerns_itself_even_when_it_is_gone() -> None:
    assert names(ROLLOUTS, rollout(canary=canary(), name="gone")) == {"gone"}


def test_what_a_rollout_owns_concerns_it() -> None:
    owned = merged(
        replica_set("a", 1), {"metadata": {"ownerReferences": [{"controller": True, "kind": "Rollout", "name": "web", "uid": "u"}]}}
    )
    assert names(REPLICA_SETS, owned) == names(EXPERIMENTS, owned) == {"web"}


def test_an_orphan_concerns_whoever_may_adopt_it() -> None:
    assert names(REPLICA_SETS, replica_set("a", 1)) == {"plain", "web", "borrowing"}


def test_a_service_concerns_who_names_it_and_who_marked_it() -> None:
    marked = merged(service("web-canary"), {"metadata": {"annotations": {MANAGED_BY: "former"}}})
    assert names(SERVICES, marked) == {"web", "former"} and names(SERVICES, service("other")) == set()


def test_a_borrowed_template_and_analysis_templates_concern_their_users() -> None:
    assert names(DEPLOYMENTS, deployment()) == {"borrowing"} and names(DEPLOYMENTS, deployment("x")) == set()
    assert names(ANALYSIS_TEMPLATES, analysis_template()) == {"web"}
