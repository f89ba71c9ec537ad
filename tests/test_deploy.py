"""What `deploy/` installs: it builds, it may do what the code does and no more, and it says what docs/configuration.md says."""

import ast
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.app.console.verbs import ALL, VerbSubject
from reconciler.app.settings.reading import load_settings
from reconciler.app.wiring import WATCHES
from reconciler.kernel import resources
from reconciler.kernel.identity import Resource
from reconciler.rollouts.traffic.router import kinds_of
from reconciler.routers.registry import ROUTERS
from reconciler.sources.kinds import is_namespaced
from scripts.generate_rights import rendered
from tests.kit.source import parsed

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
YAMLS = sorted(path for path in DEPLOY.rglob("*.yaml"))
KUBECTL = ROOT / ".venv" / "bin" / "kubectl"
CONSTANTS = {name: value for name, value in vars(resources).items() if isinstance(value, Resource)}
ROOMS = ("analysis", "rollouts", "experiments", "sources", "releases", "sync", "runtime", "kube", "providers", "routers")
ROUTER_ROLE = "reconciler-router-"
ACTIONS = {"Create": "create", "Replace": "update", "Patch": "patch", "Remove": "delete", "Evict": "evict"}
CALLS = {"get": "get", "find": "get", "list": "list", "create": "create", "replace": "update", "patch": "patch", "delete": "delete"}
APPLIED = {"get", "list", "create", "patch", "delete"}
OWNED = ("argoproj.io/rollouts", "argoproj.io/analysisruns", "argoproj.io/experiments", "reconciler.dev/releases")
OWNERS = {(group, f"{plural}/finalizers") for group, _, plural in (name.partition("/") for name in OWNED)}
# What the code does through variables, where no call names the resource: (constant, verb) and the line of thought.
THROUGH_VARIABLES = {
    ("SERVICES", "get"),  # what already exists is looked at
    ("SERVICES", "patch"),  # core/traffic/services: selectors
    ("RELEASES", "status"),  # controller/release: `place`
    ("ROLLOUTS", "status"),  # core/release/steer, controller/rollout
    ("ROLLOUTS", "create"),  # controller/adopting: server-side apply creates
    ("ROLLOUTS", "patch"),
    ("ROLLOUTS", "delete"),  # core/sync/adoption: `place`
    ("ANALYSIS_RUNS", "patch"),  # controller/analysisrun: `_place`
    ("ANALYSIS_RUNS", "delete"),
    ("ANALYSIS_TEMPLATES", "get"),  # controller/watchrun
    ("CLUSTER_ANALYSIS_TEMPLATES", "get"),
    ("DEPLOYMENTS", "patch"),  # core/release/steer: the template of a workloadRef
    ("DEPLOYMENTS", "get"),  # workloadRef
    ("POD_TEMPLATES", "get"),
    ("REPLICA_SETS", "get"),
    ("ANALYSIS_RUNS", "get"),  # controller/apply: what already exists is looked at
    ("EXPERIMENTS", "get"),
    ("RELEASES", "get"),
    ("CONFIGMAPS", "patch"),  # controller/source: the inventory
}

Manifest = dict[str, Any]


def documents(path: Path) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


@cache
def built(overlay: str) -> tuple[Manifest, ...]:
    """What `kubectl apply -k` would send."""
    ran = subprocess.run([KUBECTL, "kustomize", DEPLOY / overlay], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return tuple(yaml.safe_load_all(ran.stdout))


def one(overlay: str, kind: str, name: str) -> Manifest:
    return next(m for m in built(overlay) if m["kind"] == kind and m["metadata"]["name"].startswith(name))


def rules(*names: str) -> Iterator[Manifest]:
    for manifest in built("base"):
        if manifest["kind"] in ("ClusterRole", "Role") and manifest["metadata"]["name"] in names:
            yield from manifest["rules"]


def granted() -> Mapping[tuple[str, str], set[str]]:
    """(group, resource or resource/subresource) → verbs of the daemon's own roles."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for rule in rules(
        "reconciler", "reconciler-analysis-secrets", *(f"{ROUTER_ROLE}{name.rpartition('/')[2].lower()}" for name in ROUTERS)
    ):
        for resource in rule["resources"]:
            found[rule["apiGroups"][0], resource] |= set(rule["verbs"])
    return found


def place(name: str, verb: str) -> tuple[tuple[str, str], str]:
    """Where a verb on one of our constants is granted."""
    resource = CONSTANTS[name]
    if verb == "evict":
        return (resource.group, f"{resource.plural}/eviction"), "create"
    if verb == "status":
        return (resource.group, f"{resource.plural}/status"), "patch"
    return (resource.group, resource.plural), verb


def written_in_code() -> set[tuple[str, str]]:
    """(constant, verb) of every action and every client call that names its resource."""
    found = set()
    for room in ROOMS:
        for path in (ROOT / "reconciler" / room).rglob("*.py"):
            if path.name not in ("verbs.py", "override.py"):  # what a person's own rights are needed for
                found |= set(_uses(parsed(path.read_text())))
    return found


def _uses(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        verb = _verb(node.func)
        names = [inner.id for inner in ast.walk(node.args[0]) if isinstance(inner, ast.Name) and inner.id in CONSTANTS]
        status = any(k.arg == "subresource" and isinstance(k.value, ast.Constant) and k.value.value == "status" for k in node.keywords)
        if verb and names:
            yield names[0], "status" if status else verb


def _verb(function: ast.expr) -> str | None:
    if isinstance(function, ast.Name):
        return ACTIONS.get(function.id)
    if not isinstance(function, ast.Attribute):
        return None
    owner = ast.unparse(function.value)
    return CALLS.get(function.attr) if owner.rpartition(".")[2].strip("_") in ("client", "reader") else None


@pytest.mark.parametrize("path", YAMLS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_file_is_yaml_and_names_what_it_is(path: Path) -> None:
    found = documents(path)
    assert found
    assert path.name == "reconciler.yaml" or all("kind" in document for document in found)


def test_the_example_overlay_builds() -> None:
    kinds = {manifest["kind"] for manifest in built("overlays/example")}
    assert {"Namespace", "ServiceAccount", "ClusterRole", "Role", "RoleBinding", "ConfigMap", "Deployment"} <= kinds


def test_the_console_of_the_overlay_asks_who_people_are_and_may_act_as_them_and_nothing_else() -> None:
    rights = one("overlays/console", "ClusterRole", "reconciler-console")["rules"]
    granted = {(rule["apiGroups"][0], resource, verb) for rule in rights for resource in rule["resources"] for verb in rule["verbs"]}
    acting = {("", kind, "impersonate") for kind in ("users", "groups", "serviceaccounts")}
    asking = {("authorization.k8s.io", "subjectaccessreviews", "create"), ("authentication.k8s.io", "tokenreviews", "create")}
    assert granted == acting | asking | {("", "events", "list"), ("", "events", "watch")}
    beside = one("overlays/console", "Role", "reconciler-console")
    assert beside["metadata"]["namespace"] == "reconciler"
    assert beside["rules"] == [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]}]
    people = one("overlays/console", "ClusterRole", "reconciler-releaser")["rules"]
    lent = {(rule["apiGroups"][0], name) for rule in people for name in rule["resources"]}
    patched = [verb.right for verb in ALL if verb.subject is not VerbSubject.FREEZE]
    needed = {(right.resource.group, "/".join(filter(None, (right.resource.plural, right.subresource)))) for right in patched}
    assert lent == needed, "what people need is what the verbs patch; the brake has a role of its own"
    settings = load_settings(DEPLOY / "overlays/console/reconciler.yaml").console
    assert settings is not None and settings.login is not None and not settings.anonymous


def test_no_role_holds_a_wildcard() -> None:
    for manifest in built("overlays/example"):
        for rule in manifest.get("rules") or []:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]


def test_everything_that_is_watched_may_be_listed_and_watched() -> None:
    may = granted()
    for watched in WATCHES.values():
        for resource in watched:
            assert {"list", "watch"} <= may[resource.group, resource.plural], resource


def test_the_rights_for_what_routers_write_are_those_that_the_registry_says() -> None:
    assert (DEPLOY / "base" / "routers.yaml").read_text() == rendered(), "run python -m scripts.generate_rights"
    may = granted()
    made = {kind for router in ROUTERS.values() for kind in router.kinds if kind.kind in router.features.makes}
    assert made
    read = {kind for router in ROUTERS.values() for kind in router.kinds if kind.kind in router.features.reads}
    for kind in kinds_of(ROUTERS):
        written = set() if kind in read else {"update", *(("get", "create", "delete") if kind in made else ())}
        assert may[kind.group, kind.plural] == {"list", "watch", *written}


def test_a_companion_moves_no_traffic() -> None:
    roles = {manifest["metadata"]["name"] for manifest in built("overlays/companion") if manifest["kind"].startswith("ClusterRole")}
    assert roles == {"reconciler"}


def test_everything_that_the_code_writes_or_reads_is_granted() -> None:
    may = granted()
    missing = {use for use in written_in_code() | THROUGH_VARIABLES if place(*use)[1] not in may[place(*use)[0]]}
    assert not missing


def test_nothing_is_granted_that_the_code_does_not_do() -> None:
    done: dict[tuple[str, str], set[str]] = defaultdict(set)
    for use in written_in_code() | THROUGH_VARIABLES:
        where, verb = place(*use)
        done[where].add(verb)
    for watched in WATCHES.values():
        for resource in watched:
            done[resource.group, resource.plural] |= {"list", "watch"}
    for router in ROUTERS.values():
        for kind in router.kinds:  # what is made already, but not known yet, is looked at
            if kind.kind not in router.features.reads:
                done[kind.group, kind.plural] |= {"update", *(("get", "create", "delete") if kind.kind in router.features.makes else ())}
    surplus = {(where, verb) for where, verbs in granted().items() if where not in OWNERS for verb in verbs if verb not in done[where]}
    assert not surplus


def test_secrets_are_only_read_and_by_a_role_of_their_own() -> None:
    assert [rule["verbs"] for rule in rules("reconciler-analysis-secrets")] == [["get"]]
    assert not [rule for rule in rules("reconciler") if "secrets" in rule["resources"]]


def test_the_pod_is_restricted_and_writes_only_to_its_empty_folders() -> None:
    pod = one("base", "Deployment", "reconciler")["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    writable = {mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}


def test_the_probes_ask_what_the_daemon_answers_and_one_pod_at_a_time_holds_the_lease() -> None:
    spec = one("base", "Deployment", "reconciler")["spec"]
    container = spec["template"]["spec"]["containers"][0]
    assert [container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")] == ["/healthz", "/readyz"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.parametrize(
    "path",
    ["base/reconciler.yaml", "overlays/example/reconciler.yaml", "overlays/companion/reconciler.yaml", "overlays/console/reconciler.yaml"],
)
def test_the_settings_are_good_and_fit_the_pod(path: str) -> None:
    settings = load_settings(DEPLOY / path)
    container = one("base", "Deployment", "reconciler")["spec"]["template"]["spec"]["containers"][0]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert settings.listen.startswith("127.0.0.1:"), "the pod's address is given on the command line"
    assert settings.workdir in mounts
    secrets = [file for s in settings.sources if s.credentials and s.forge for file in (s.credentials.password_file, s.forge.token_file)]
    assert {str(Path(file).parent) for file in [*secrets, settings.webhook_secret_file] if file} <= mounts


def test_the_pod_listens_on_its_own_address_only_and_a_policy_says_who_may_come() -> None:
    container = one("base", "Deployment", "reconciler")["spec"]["template"]["spec"]["containers"][0]
    assert container["args"][-2:] == ["--listen", f"$(POD_IP):{container['ports'][0]['containerPort']}"]
    assert {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}} in container["env"]
    # The console is also for who comes by port-forward, which leads to the pod's loopback; it asks everybody who they are.
    everywhere = [path for path in DEPLOY.rglob("*.yaml") if "0.0.0.0" in path.read_text()]
    assert everywhere == [DEPLOY / "overlays/console/reconciler.yaml"]
    policies = {m["metadata"]["name"]: m["spec"] for m in built("overlays/example") if m["kind"] == "NetworkPolicy"}
    labels = one("base", "Deployment", "reconciler")["spec"]["template"]["metadata"]["labels"]
    assert all(spec["podSelector"]["matchLabels"] == labels for spec in policies.values())
    assert policies["reconciler"].get("ingress") in (None, []) and all(rule["from"] for rule in policies["reconciler-clients"]["ingress"])


def test_a_new_settings_text_makes_a_new_pod() -> None:
    config = one("overlays/example", "ConfigMap", "reconciler-")
    volumes = one("overlays/example", "Deployment", "reconciler")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "settings", "configMap": {"name": config["metadata"]["name"]}} in volumes


def test_a_source_may_write_exactly_what_its_allow_list_says() -> None:
    allow = load_settings(DEPLOY / "overlays/example/reconciler.yaml").sources[0].allow
    wanted: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for word in allow.kinds:
        kind, _, group = word.partition(".")
        known = next(r for r in CONSTANTS.values() if r.kind == kind and (r.group == group or (not group and r.group in ("", "apps"))))
        wanted[is_namespaced({"apiVersion": known.api_version, "kind": kind}) is False].add((known.group, known.plural))
    for cluster, name in ((False, "reconciler-source-shop"), (True, "reconciler-source-shop-cluster")):
        role = next(m for m in built("overlays/example") if m["kind"] == "ClusterRole" and m["metadata"]["name"] == name)
        assert {(rule["apiGroups"][0], resource) for rule in role["rules"] for resource in rule["resources"]} == wanted[cluster]
        assert all(set(rule["verbs"]) == APPLIED for rule in role["rules"])
    bound = {
        m["metadata"]["namespace"]
        for m in built("overlays/example")
        if m["kind"] == "RoleBinding" and m["roleRef"]["name"] == "reconciler-source-shop"
    }
    assert bound == set(allow.namespaces)


def test_the_image_runs_as_nobody_and_installs_what_is_locked() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "USER 65532:65532" in text
    assert "--require-hashes -r requirements-production.lock" in text


@pytest.mark.parametrize("overlay", ["overlays/example", "overlays/companion"])
def test_every_namespace_that_an_overlay_writes_into_comes_with_it(overlay: str) -> None:
    brought = {manifest["metadata"]["name"] for manifest in built(overlay) if manifest["kind"] == "Namespace"}
    assert {manifest["metadata"]["namespace"] for manifest in built(overlay) if manifest["metadata"].get("namespace")} == brought


def test_a_companion_may_write_no_workload_and_no_route_and_read_no_secret() -> None:
    may = [
        (f"{group}/{resource}", set(rule["verbs"]))
        for manifest in built("overlays/companion")
        if manifest["kind"] == "ClusterRole"
        for rule in manifest["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    ]
    assert not [place for place, _ in may if "secrets" in place or "istio" in place]
    written = {place for place, verbs in may if verbs - {"get", "list", "watch"}}
    assert written == {
        "argoproj.io/rollouts/status",
        "argoproj.io/analysisruns",
        "apps/replicasets",
        "/events",
        "reconciler.dev/releases",
        "reconciler.dev/releases/status",
        "reconciler.dev/releases/finalizers",
    }
