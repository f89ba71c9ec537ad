"""By which words Rollouts and the objects around them are found."""

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import VIRTUAL_SERVICES
from reconciler.kernel.well_known import MANAGED_BY
from reconciler.rollouts.indexes import (
    held_word,
    held_words,
    managed_word,
    namesake_word,
    orphan_words,
    rollout_words,
    route_word,
    routed_words,
    run_words,
    service_word,
    service_words,
)
from reconciler.rollouts.traffic.marks import with_mark
from reconciler.rollouts.traffic.router import Owner
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, rollout, service, virtual_service


def test_a_rollout_is_found_by_its_services_and_by_the_objects_it_routes() -> None:
    manifest = rollout(canary=canary(istio=True))
    assert set(rollout_words(manifest)) == {service_word("shop", "web-canary"), service_word("shop", "web-stable")}
    assert routed_words(ROUTERS, manifest) == (route_word(ObjectRef(VIRTUAL_SERVICES, "shop", "web")),)
    assert routed_words(ROUTERS, {**manifest, "spec": None}) == ()
    turning = rollout(canary=canary(pingPong={"pingService": "a", "pongService": "b"}))
    assert set(rollout_words(turning)) == {service_word("shop", "a"), service_word("shop", "b")}


def test_an_object_is_found_by_whom_it_holds_something_of() -> None:
    owner = Owner("shop", "web")
    assert held_words(with_mark(virtual_service(), owner, {})) == (held_word(owner),)
    assert held_words(virtual_service()) == ()


def test_an_orphan_is_listed_under_its_namespace() -> None:
    assert orphan_words(virtual_service()) == ("orphan shop",)


def test_a_service_is_found_by_the_rollout_it_is_marked_with() -> None:
    marked = service("web")
    marked["metadata"]["annotations"] = {MANAGED_BY: "web"}
    assert service_words(marked) == (managed_word("shop", "web"),)
    assert service_words(service("web")) == ()


def test_a_run_is_found_by_every_name_that_may_be_its_rollouts() -> None:
    run = {"metadata": {"name": "web-api-6d4c-2-pre", "namespace": "shop"}}
    assert run_words(run) == tuple(namesake_word("shop", name) for name in ("web", "web-api", "web-api-6d4c", "web-api-6d4c-2"))
    assert run_words({"metadata": {"name": "web", "namespace": "shop"}}) == ()
