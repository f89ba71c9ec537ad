"""Which methods a path has."""

import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.kinds import NAMESPACES, PODS
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.verbs import require

SPACE = "default"


@pytest.mark.parametrize(
    ("target", "methods"),
    [
        (Target(PODS, SPACE), "GET POST DELETE"),
        (Target(PODS), "GET"),
        (Target(PODS, SPACE, "p"), "GET PUT PATCH DELETE"),
        (Target(PODS, SPACE, "p", "status"), "GET PUT PATCH"),
        (Target(PODS, SPACE, "p", "log"), "GET"),
        (Target(PODS, SPACE, "p", "eviction"), "POST"),
        (Target(PODS, SPACE, "p", "binding"), "POST"),
        (Target(NAMESPACES), "GET POST"),
        (Target(NAMESPACES, "", "n", "finalize"), "PUT"),
    ],
)
def test_a_path_has_its_methods_and_no_others(target: Target, methods: str) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ODD"):
        if method in methods.split():
            require(target, method)
            continue
        with pytest.raises(Failure) as refused:
            require(target, method)
        assert refused.value.code == 405
