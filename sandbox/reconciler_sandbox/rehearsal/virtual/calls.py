"""What a container that calls by curl would be answered under virtual time, from routes, Services and the behaviours of pods."""

from typing import Any
from urllib.parse import urlsplit

from reconciler_sandbox.node import curl
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.node.environment import command_line, environment
from reconciler_sandbox.node.unsupported import Unsupported
from reconciler_sandbox.rehearsal.virtual.traffic import Traffic

Manifest = dict[str, Any]
NOT_FOUND, HTTP_ERROR, TIMED_OUT = 127, 22, 28
HALF = 0.5


def exit_code(container: Manifest, traffic: Traffic) -> int | None:
    """How its curl ends; None for a container that runs another program."""
    try:
        words = command_line(container, environment(container))
        if not words or words[0].rpartition("/")[2] != "curl":
            return None
        asked = curl.parse(words[1:])
    except Unsupported:
        return NOT_FOUND
    headers = {name.lower(): text for name, text in asked.headers}
    host = headers.get("host") or urlsplit(asked.url).hostname or ""
    answering = traffic.answering(host, headers)
    if answering and all(behaviour.hang or behaviour.latency >= asked.seconds for behaviour in answering):
        return TIMED_OUT
    bad = not answering or any(_fails(behaviour) for behaviour in answering)
    return HTTP_ERROR if bad and "--fail" in asked.flags else 0


def _fails(behaviour: Behaviour) -> bool:
    """One call is not a share of calls: what fails as often as not is taken to fail."""
    return behaviour.error_rate >= HALF and not behaviour.grpc_error
