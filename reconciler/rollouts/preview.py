"""How testers reach the new version before users do: by which header or cookie, and where. Pure; read off the live Rollout.

A preview is there while its step has been reached and the version has pods: header routes of steps, and what nginx tells by annotation.
It goes with promotion, abort, and a version that has no pod, as the managed routes do (contract 9.1).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.kernel.well_known import PREVIEW_ADDRESS
from reconciler.rollouts.traffic.named import routing_of

ADDRESS = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._~/%-]*)?")
HEADER, VALUE, PATTERN, COOKIE = "canary-by-header", "canary-by-header-value", "canary-by-header-pattern", "canary-by-cookie"

ANY_VALUE = "preview-probe"
"""What is sent where any value is let in."""


@dataclass(frozen=True, slots=True)
class OpenPreview:
    """One way in: any of the `conditions` is enough; `address` is where, empty when the Rollout does not say.

    `header` is name and value of one that is let in; the value is empty where only an expression says which.
    """

    name: str
    conditions: tuple[str, ...]
    address: str = ""
    header: tuple[str, str] | None = None


def previews(rollout: Manifest) -> tuple[OpenPreview, ...]:
    """The previews that are open now, in the order in which the steps opened them."""
    status = _object(rollout.get("status"))
    if not _stands_beside(status):
        return ()
    address = annotations_of(rollout).get(PREVIEW_ADDRESS, "")
    place = address if ADDRESS.fullmatch(address) else ""
    found = dict([*_by_annotation(routing_of(rollout)), *_by_steps(rollout, status)])
    return tuple(OpenPreview(name, ways.conditions, place, ways.header) for name, ways in found.items() if ways.conditions)


def preview_words(rollout: Manifest) -> str:
    """One sentence about all of them; empty while none is open."""
    found = previews(rollout)
    if not found:
        return ""
    ways = "; ".join(f"{preview.name}: {' or '.join(preview.conditions)}" for preview in found)
    return f"testers reach it by {ways}{f', at {found[0].address}' if found[0].address else ''}"


def _stands_beside(status: Manifest) -> bool:
    """True while the new version has pods beside the stable one, and nothing brings it home or promotes it in full."""
    current, stable = status.get("currentPodHash"), status.get("stableRS")
    left = status.get("abort") is True or status.get("promoteFull") is True
    return bool(current and stable) and current != stable and not left and _whole(status.get("updatedReplicas")) > 0


@dataclass(frozen=True, slots=True)
class _Ways:
    conditions: tuple[str, ...]
    header: tuple[str, str] | None = None


def _by_steps(rollout: Manifest, status: Manifest) -> Iterator[tuple[str, _Ways]]:
    """What each header route that was reached asks for; a later step of the name takes its place, and one without a match ends it."""
    steps = _canary(rollout).get("steps")
    reached = (steps if isinstance(steps, list) else [])[: _whole(status.get("currentStepIndex")) + 1]
    for step in reached:
        route = _object(_object(step).get("setHeaderRoute"))
        if route.get("name"):
            matches = [_object(match) for match in (route["match"] if isinstance(route.get("match"), list) else ())]
            yield str(route["name"]), _Ways(tuple(map(_words, matches)), _letting_in(matches))


def _letting_in(matches: list[Manifest]) -> tuple[str, str] | None:
    """A header that is let in, with its value where one is written, else the first by name."""
    known = [(str(match.get("headerName")), _object(match.get("headerValue"))) for match in matches]
    said = [(name, str(value.get("exact") or value.get("prefix") or "")) for name, value in known]
    any_value = [(name, ANY_VALUE) for name, value in known if value.get("regex") == ".*"]
    return next((pair for pair in (*said, *any_value) if pair[1]), said[0] if said else None)


def _words(match: Manifest) -> str:
    value = _object(match.get("headerValue"))
    said = {"exact": "header {}: {}", "prefix": "header {} beginning with {}", "regex": "header {} matching {}"}
    form = next((name for name in said if value.get(name)), "exact")
    return said[form].format(match.get("headerName"), value.get(form, ""))


def _by_annotation(routing: Manifest) -> Iterator[tuple[str, _Ways]]:
    nginx = _object(routing.get("nginx"))
    prefix = str(nginx.get("annotationPrefix") or "nginx.ingress.kubernetes.io")
    asked = {**_object(nginx.get("additionalIngressAnnotations")), **_object(nginx.get("canaryIngressAnnotations"))}
    notes = {str(key).removeprefix(f"{prefix}/"): str(value) for key, value in asked.items()}
    header, cookie = notes.get(HEADER), notes.get(COOKIE)
    ways, sent = [f"cookie {cookie}=always"] if cookie else [], "always"
    if header and notes.get(VALUE):
        ways.insert(0, f"header {header}: {notes[VALUE]}")
        sent = notes[VALUE]
    elif header and notes.get(PATTERN):
        ways.insert(0, f"header {header} matching {notes[PATTERN]}")
        sent = ""
    elif header:
        ways.insert(0, f"header {header}: always")
    yield "nginx", _Ways(tuple(ways), (header, sent) if header else ("Cookie", f"{cookie}={sent}") if cookie else None)


def _canary(rollout: Manifest) -> Manifest:
    return _object(_object(_object(rollout.get("spec")).get("strategy")).get("canary"))


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _object(value: Any) -> Manifest:
    return value if isinstance(value, dict) else {}
