"""nginx: the canary Ingress of contract 9.4. What every router promises is in tests/contracts."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of
from reconciler.kernel.plan import Create, Remove, Replace
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Live, Owner, Services
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.nginx import INGRESSES, Nginx, canary_name
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, rollout, weight
from tests.kit.routers import driven, lives
from tests.kit.routers import nginx as case
from tests.kit.world import deployed

NGINX = Nginx()
CONFIG: Manifest = {"stableIngress": "web"}
OWNER = Owner("shop", "web")
WHOSE = Services(canary="web-canary", stable="web-stable", namespace="shop", rollout="web", uid="u-1")
STABLE, CANARY = ObjectRef(INGRESSES, "shop", "web"), ObjectRef(INGRESSES, "shop", "web-web-canary")
P = "nginx.ingress.kubernetes.io"


def path(service: Any, at: str = "/", port: Any = 80) -> Manifest:
    return {"path": at, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": port}}}}


def stable(*rules: Any, notes: Manifest | None = None, **spec: Any) -> Manifest:
    metadata = {"name": "web", "namespace": "shop", "labels": {"argocd.argoproj.io/instance": "shop"}, "annotations": notes or {}}
    found = list(rules) or [{"host": "web.example", "http": {"paths": [path("web-stable")]}}]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": {**spec, "rules": found}}


def at(share: int, maximum: int = 100) -> Traffic:
    return Traffic(weight=share, canary_hash="h2", stable_hash="h1", maximum=maximum)


def written(config: Manifest, live: Live, share: int = 20, maximum: int = 100) -> Manifest:
    answer = NGINX.route(config, WHOSE, at(share, maximum), live)
    assert answer.problem is None
    [action] = answer.actions
    assert isinstance(action, Create | Replace)
    return action.manifest


def notes(config: Manifest, live: Live | None = None, share: int = 20, maximum: int = 100) -> Manifest:
    found = annotations_of(written(config, live or {STABLE: stable()}, share, maximum))
    return {key: value for key, value in found.items() if key != "reconciler.dev/traffic"}


def test_the_canary_ingress_is_the_stable_one_as_far_as_it_leads_to_the_stable_service() -> None:
    tls = [{"hosts": ["web.example"], "secretName": "web"}]
    both = {"host": "web.example", "http": {"paths": [path("mail", "/mail"), path("web-stable", "/", 8080), path("web-stable", "/a")]}}
    rules = [
        both,
        {"host": "mail.example", "http": {"paths": [path("mail")]}},
        {"host": "bare.example"},
        {"http": {"paths": [path("web-stable")]}},
    ]
    found = written(CONFIG, {STABLE: stable(*rules, tls=tls, ingressClassName="nginx", defaultBackend=path("web-stable")["backend"])})
    assert (found["metadata"]["name"], found["metadata"]["namespace"], found["metadata"].get("labels")) == ("web-web-canary", "shop", None)
    assert found["spec"] == {
        "ingressClassName": "nginx",
        "tls": tls,
        "rules": [
            {"host": "web.example", "http": {"paths": [path("web-canary", "/", 8080), path("web-canary", "/a")]}},
            {"http": {"paths": [path("web-canary")]}},
        ],
    }
    assert notes(CONFIG) == {f"{P}/canary": "true", f"{P}/canary-weight": "20"}


def test_annotations_asked_for_are_written_and_the_weight_is_ours() -> None:
    config = {
        **CONFIG,
        "additionalIngressAnnotations": {"canary-by-header": "X-Tester", f"{P}/canary-by-cookie": "c", "canary-weight": "99", "x": "1"},
        "canaryIngressAnnotations": {"example.com/owner": "team", f"{P}/x": "2", f"{P}/canary": "false"},
    }
    assert notes(config) == {
        f"{P}/canary-by-header": "X-Tester",
        f"{P}/canary-by-cookie": "c",
        f"{P}/x": "2",
        "example.com/owner": "team",
        f"{P}/canary": "true",
        f"{P}/canary-weight": "20",
    }
    warned = NGINX.in_force(config, WHOSE, {STABLE: stable()}).warnings
    assert [text.partition(" has no effect")[0] for text in warned] == [
        f"additionalIngressAnnotations: {P}/canary-weight",
        f"canaryIngressAnnotations: {P}/canary",
    ]


def test_a_total_that_no_maximum_asks_for_is_not_written() -> None:
    """It would stay beside weights of 100 and make a tenth of them."""
    config = {**CONFIG, "additionalIngressAnnotations": {"canary-weight-total": "1000"}}
    assert notes(config) == {f"{P}/canary": "true", f"{P}/canary-weight": "20"}


def test_another_prefix_and_another_maximum_are_said_in_annotations() -> None:
    config = {**CONFIG, "annotationPrefix": "my.nginx", "additionalIngressAnnotations": {"canary-by-header": "h"}}
    assert notes(config, share=5, maximum=1000) == {
        "my.nginx/canary-by-header": "h",
        "my.nginx/canary": "true",
        "my.nginx/canary-weight": "5",
        "my.nginx/canary-weight-total": "1000",
    }


def test_what_is_asked_for_no_more_goes_and_what_others_wrote_stays() -> None:
    before = written({**CONFIG, "additionalIngressAnnotations": {"canary-by-header": "X"}}, {STABLE: stable()}, 5, 1000)
    before["metadata"]["annotations"]["cert-manager.io/issuer"] = "theirs"
    assert notes(CONFIG, {STABLE: stable(), CANARY: before}) == {
        "cert-manager.io/issuer": "theirs",
        f"{P}/canary": "true",
        f"{P}/canary-weight": "20",
    }
    moved = notes({**CONFIG, "annotationPrefix": "my.nginx"}, {STABLE: stable(), CANARY: before})
    assert moved == {"cert-manager.io/issuer": "theirs", "my.nginx/canary": "true", "my.nginx/canary-weight": "20"}


@pytest.mark.parametrize(
    ("annotation", "spec", "said"),
    [
        (None, "nginx", (None, "nginx")),
        ("nginx", None, ("nginx", None)),
        ("inner", "nginx", ("inner", None)),
        (None, None, (None, None)),
    ],
)
def test_the_class_is_that_of_the_stable_ingress_said_once_as_an_api_server_asks(annotation: Any, spec: Any, said: Any) -> None:
    found = stable(
        notes={"kubernetes.io/ingress.class": annotation} if annotation else None, **({"ingressClassName": spec} if spec else {})
    )
    made = written(CONFIG, {STABLE: found})
    assert (annotations_of(made).get("kubernetes.io/ingress.class"), made["spec"].get("ingressClassName")) == said


ODD = {"http": {"paths": ["x", {"backend": {"service": "web-stable"}}]}}
NO_RULES = "ingress `web` has no rules using service web-stable backend"
UNUSABLE: list[tuple[Any, str]] = [
    (None, 'ingresses.networking.k8s.io "web" not found'),
    (stable({"host": "a", "http": {"paths": [path("other")]}}), NO_RULES),
    ({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"defaultBackend": {"service": {"name": "web-stable"}}}}, NO_RULES),
    ({"metadata": {"name": "web", "namespace": "shop"}}, NO_RULES),
    (
        stable("nonsense", {"http": []}, {"http": {"paths": {}}}, {"http": {"paths": ["x", {"backend": {"service": "web-stable"}}]}}),
        NO_RULES,
    ),
]


@pytest.mark.parametrize(("found", "words"), UNUSABLE)
def test_a_stable_ingress_that_cannot_be_used_is_told_and_no_canary_is_written(found: Any, words: str) -> None:
    live = {STABLE: found, CANARY: None}
    now, answer = NGINX.in_force(CONFIG, WHOSE, live), NGINX.route(CONFIG, WHOSE, at(20), live)
    assert (now.subject, now.problem, answer.problem, answer.actions) == ("web", words, words, ())


def test_one_ingress_that_cannot_be_used_holds_back_the_weights_of_all() -> None:
    config = {"stableIngresses": ["web", "gone"]}
    answer = NGINX.route(config, WHOSE, at(20), {STABLE: stable()})
    assert answer.actions == () and answer.problem == 'ingresses.networking.k8s.io "gone" not found'


def test_an_ingress_that_has_the_name_of_the_canary_is_told_with_what_to_do() -> None:
    answer = NGINX.route(CONFIG, WHOSE, at(20), {STABLE: stable(), CANARY: stable()})
    words = "exists and is not controlled by Rollout `web`: remove it, or rename the Rollout or what it names"
    assert answer.problem == f"Ingress `web-web-canary` {words}"


def test_names_are_those_of_the_reference_and_never_longer_than_an_api_server_takes() -> None:
    assert canary_name("web", "shop") == "web-shop-canary"
    assert canary_name("r" * 250, "web") == "r" * 246 + "-canary"
    assert canary_name("r" * 245 + ".", "web") == "r" * 245 + "-canary"


def problem(config: Any, **fields: Any) -> str | None:
    spec = {"canaryService": "web-canary", "stableService": "web-stable", "trafficRouting": {"nginx": config}, **fields}
    manifest = rollout(canary=canary(weight(20), **spec))
    found = spec_problem(manifest, parse_rollout(manifest), ROUTERS)
    return None if found is None else str(found)


FIELD = "spec.strategy.canary.trafficRouting.nginx"
LONG = "n" * 250
REFUSED: list[tuple[Any, str]] = [
    ({}, f"{FIELD}: Internal error: Either StableIngress or StableIngresses must be configured. Neither are configured."),
    (
        {"stableIngress": "a", "stableIngresses": ["b"]},
        f"{FIELD}: Internal error: Either StableIngress or StableIngresses must be configured. Both are configured.",
    ),
    ({"stableIngress": 5}, f'{FIELD}.stableIngress: Invalid value: "5": must name Ingresses'),
    (
        {"stableIngresses": [f"{LONG}a", f"{LONG}b"]},
        f'{FIELD}.stableIngresses: Invalid value: "{LONG}a, {LONG}b": the names are too long to tell their canary Ingresses apart',
    ),
    ({**CONFIG, "annotationPrefix": "a b"}, "annotationPrefix"),
    ({**CONFIG, "additionalIngressAnnotations": ["a"]}, "additionalIngressAnnotations: Invalid value"),
    (
        {**CONFIG, "additionalIngressAnnotations": {"canary-by-header": True}},
        f"{FIELD}.additionalIngressAnnotations[{P}/canary-by-header]: Invalid value: true: must be a text: put it in quotes",
    ),
    (
        {**CONFIG, "additionalIngressAnnotations": {"example.com/a": "b"}},
        f'{FIELD}.additionalIngressAnnotations: Invalid value: "{P}/example.com/a": is no key of an annotation',
    ),
    (
        {**CONFIG, "canaryIngressAnnotations": {"a b": "c"}},
        f'{FIELD}.canaryIngressAnnotations: Invalid value: "a b": is no key of an annotation',
    ),
]


@pytest.mark.parametrize(("config", "words"), REFUSED)
def test_a_configuration_that_cannot_be_carried_out_is_refused(config: Any, words: str) -> None:
    assert words in str(problem(config))


def test_a_good_configuration_is_taken_and_both_services_are_asked_for() -> None:
    assert problem({"stableIngresses": ["a", "b"], "canaryIngressAnnotations": {"example.com/a": "b"}}) is None
    words = "Canary service and Stable service must to be set to use Traffic Routing"
    assert words in str(problem(CONFIG, stableService=None)) and words in str(problem(CONFIG, canaryService=None))
    assert "SetHeaderRoute requires" in str(problem(CONFIG, steps=[{"setHeaderRoute": {"name": "a"}}]))


# ---- beside the reference, Git and people ----


def by_reference(name: str = "web-web-canary", **annotations: str) -> Manifest:
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "u-1", "controller": True}
    found = stable(notes={f"{P}/canary": "true", f"{P}/canary-weight": "30", **annotations})
    return {**found, "metadata": {**found["metadata"], "name": name, "uid": "m-1", "ownerReferences": [owner]}}


def test_a_canary_ingress_of_the_reference_is_taken_over_and_removed_in_the_end() -> None:
    found = by_reference(**{f"{P}/canary-weight-total": "1000", f"{P}/canary-by-header": "X"})
    assert NGINX.in_force(CONFIG, WHOSE, {STABLE: stable(), CANARY: found}).weight == 30
    after = written(CONFIG, {STABLE: stable(), CANARY: found})
    assert after["metadata"]["ownerReferences"] == found["metadata"]["ownerReferences"]
    kept = {f"{P}/canary": "true", f"{P}/canary-weight": "20", f"{P}/canary-by-header": "X"}
    assert kept.items() <= annotations_of(after).items() and f"{P}/canary-weight-total" not in annotations_of(after)
    assert NGINX.release(OWNER, {CANARY: found}) == NGINX.release(OWNER, {CANARY: after}) == (Remove(CANARY, "m-1"),)


def test_a_canary_ingress_of_the_reference_goes_when_the_rollout_names_it_no_more() -> None:
    world = deployed(rollout(canary=canary(weight(20))), (INGRESSES, stable()))
    [owner] = by_reference()["metadata"]["ownerReferences"]
    mine = {**owner, "uid": world.rollout["metadata"]["uid"]}
    found = world.store.put(INGRESSES, {**by_reference(), "metadata": {**by_reference()["metadata"], "ownerReferences": [mine]}})
    theirs = world.store.put(
        INGRESSES, {**by_reference("mine"), "metadata": {**by_reference("mine")["metadata"], "ownerReferences": [mine]}}
    )
    assert owners(found) == (OWNER,)
    world.settle()
    assert world.store.list(INGRESSES, "shop") == [world.store.get(INGRESSES, "shop", "web"), theirs]


def test_an_ingress_that_a_person_lets_a_rollout_own_is_never_removed() -> None:
    theirs = by_reference("web")
    assert NGINX.release(OWNER, {STABLE: theirs}) == ()
    named = by_reference(**{f"{P}/canary": "false"})
    assert NGINX.release(OWNER, {CANARY: named}) == ()


def test_a_canary_ingress_that_is_in_git_all_the_same_keeps_its_weight() -> None:
    config = {**CONFIG, "additionalIngressAnnotations": {"canary-by-header": "X"}}
    live = written(config, {STABLE: stable()}, 30)
    in_git = {**stable(notes={f"{P}/canary-weight": "0", "a": "b"}), "metadata": {"name": "web-web-canary", "namespace": "shop"}}
    pushed = NGINX.carry(config, WHOSE, in_git, live)
    assert pushed["spec"] == live["spec"] and NGINX.in_force(config, WHOSE, {STABLE: stable(), CANARY: pushed}).weight == 30
    assert NGINX.route(config, WHOSE, at(30), {STABLE: stable(), CANARY: pushed}).actions == ()
    theirs = {**live, "metadata": {**live["metadata"], "ownerReferences": [], "annotations": {}}}
    assert NGINX.carry(config, WHOSE, in_git, theirs) is in_git
    assert NGINX.carry(config, WHOSE, stable(), stable()) == stable()


def test_one_of_two_that_is_named_no_more_loses_its_canary_and_the_other_keeps_its_own() -> None:
    two = case("web", "shop")
    world = driven(two)
    world.edit({"spec": {"strategy": {"canary": {"trafficRouting": {"nginx": {"stableIngresses": ["shop"]}}}}}}).settle()
    found = lives(two, world)
    assert [ref.name for ref in two.made if found[ref]] == ["web-shop-canary"]
    assert annotations_of(found[two.made[1]] or {})[f"{P}/canary-weight"] == "50"
    assert f"{INGRESSES.kind} shop/web-web-canary: named no more" in str(world.store.events)


def test_the_canary_ingress_follows_the_stable_one_in_the_middle_of_a_release() -> None:
    one = case("web")
    world = driven(one)
    [rule, *others] = one.objects[STABLE]["spec"]["rules"]
    edited = world.store.put(INGRESSES, {**one.objects[STABLE], "spec": {"rules": [{**rule, "host": "new.example"}, *others]}})
    assert [key.name for key in world.controller.keys_for(INGRESSES, edited)] == ["web"]
    found = lives(one, world.settle())[CANARY] or {}
    assert [entry["host"] for entry in found["spec"]["rules"]] == ["new.example"] and set(found["spec"]) == {"rules"}
    assert annotations_of(found)[f"{P}/canary-weight"] == "50"
