"""Environment variables and the kubelet's expansion."""

import pytest
from reconciler_sandbox.node.environment import command_line, environment, expanded
from reconciler_sandbox.node.unsupported import Unsupported


def test_known_names_expand_unknown_ones_stay_and_two_dollars_are_one() -> None:
    assert expanded("$(A) $(B) $$(A) $A", {"A": "1"}) == "1 $(B) $(A) $A"


def test_a_value_may_use_the_ones_before_it() -> None:
    assert environment({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}]}) == {"A": "1", "B": "12"}


def test_values_from_elsewhere_are_refused_by_name() -> None:
    with pytest.raises(Unsupported, match="env from secretKeyRef"):
        environment({"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "token", "key": "key"}}}]})
    with pytest.raises(Unsupported, match="envFrom"):
        environment({"envFrom": [{"configMapRef": {"name": "x"}}]})


def test_an_image_of_curl_starts_curl() -> None:
    assert command_line({"image": "curlimages/curl:8", "args": ["-f", "http://$(HOST)/"]}, {"HOST": "web"}) == ["curl", "-f", "http://web/"]
    assert command_line({"image": "busybox", "command": ["sh", "-c"], "args": ["true"]}, {}) == ["sh", "-c", "true"]
