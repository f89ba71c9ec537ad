"""URL paths to targets."""

import pytest
from reconciler_sandbox.apiserver.customs import kinds_of
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.kinds import Registry
from reconciler_sandbox.apiserver.paths import parse

from tests.kit.apiserver import definition


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/pods", ("pods", "", "", "")),
        ("/api/v1/namespaces", ("namespaces", "", "", "")),
        ("/api/v1/namespaces/default", ("namespaces", "", "default", "")),
        ("/api/v1/namespaces/default/status", ("namespaces", "", "default", "status")),
        ("/api/v1/namespaces/default/pods", ("pods", "default", "", "")),
        ("/api/v1/namespaces/default/pods/x/log", ("pods", "default", "x", "log")),
        ("/apis/apps/v1/namespaces/d/deployments/x/scale", ("deployments", "d", "x", "scale")),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode", ("clusterroles", "", "system:node", "")),
    ],
)
def test_a_path_names_its_target(path: str, expected: tuple[str, str, str, str]) -> None:
    target = parse(Registry(), path)
    assert (target.kind.plural, target.namespace, target.name, target.subresource) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v1",
        "/other/v1/pods",
        "/api/v1/nothings",
        "/api/v2/pods",
        "/apis/apps/v1",
        "/api/v1/namespaces/d/nodes",
        "/api/v1/pods/x",
        "/api/v1/namespaces/d/configmaps/x/status",
    ],
)
def test_anything_else_is_not_found(path: str) -> None:
    with pytest.raises(Failure) as refused:
        parse(Registry(), path)
    assert refused.value.code == 404


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/apis/apps/v9/deployments", "the server could not find the requested resource"),
        ("/apis/nobody.example.com/v1/things", "404 page not found"),
        ("/apis/nobody.example.com", "404 page not found"),
        ("/apis/demo.example.com/v2/canaries", "404 page not found"),
        ("/apis/demo.example.com/v1alpha1/namespaces/d/canaries/c/status", 'canaries.demo.example.com "c" not found'),
    ],
)
def test_what_the_server_lacks_is_told_apart_from_what_nobody_has(path: str, words: str) -> None:
    registry = Registry()
    registry.replace("demo.example.com", "canaries", kinds_of(definition(subresources={})))
    with pytest.raises(Failure, match=words) as refused:
        parse(registry, path)
    assert refused.value.code == 404
