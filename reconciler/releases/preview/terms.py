"""What a policy says about previews: how long one may stand, and through which services its header has to come (docs/configuration.md)."""

from dataclasses import dataclass
from datetime import timedelta

from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.rollouts.preview import ADDRESS

MOST_SERVICES = 8
SHORTEST_PROBE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Hop:
    """One service, and the path at the preview's address that answers with the headers that this service received."""

    service: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewTerms:
    """`ttl` None: as long as its release; `value` is sent where the header's own condition is an expression; `hops` in their order."""

    address: str = ""
    ttl: timedelta | None = None
    value: str = ""
    every: timedelta = timedelta(minutes=10)
    hops: tuple[Hop, ...] = ()


NO_TERMS = PreviewTerms()


def preview_of(fields: StrictFields) -> PreviewTerms:
    """The policy's `preview`. Raises FieldError naming the first wrong field."""
    address = fields.text("address", "")
    if address and not ADDRESS.fullmatch(address):
        raise FieldError(fields.path("address"), "expected an http or https address without query and credentials")
    ttl = fields.span("ttl") if fields.has("ttl") else None
    value, every, hops = fields.inner("probe", _probe) or (NO_TERMS.value, NO_TERMS.every, ())
    fields.done()
    return PreviewTerms(address=address, ttl=ttl, value=value, every=every, hops=hops)


def _probe(fields: StrictFields) -> tuple[str, timedelta, tuple[Hop, ...]]:
    value, every = fields.text("value", ""), fields.span("every", "10m")
    hops, path = fields.each("services", _hop), fields.path("services")
    if not value.isprintable():
        raise FieldError(fields.path("value"), "expected the value of a header: one line of text")
    if every < SHORTEST_PROBE:
        raise FieldError(fields.path("every"), "expected 10s or more")
    if not 1 <= len(hops) <= MOST_SERVICES:
        raise FieldError(path, f"expected 1 to {MOST_SERVICES} services, got {len(hops)}")
    names = [hop.service for hop in hops]
    if len(set(names)) < len(names):
        raise FieldError(path, "names a service twice")
    fields.done()
    return value, every, hops


def _hop(fields: StrictFields) -> Hop:
    hop = Hop(fields.text("name"), fields.text("path"))
    if not hop.path.startswith("/") or not hop.path.isprintable() or " " in hop.path:
        raise FieldError(fields.path("path"), "expected a path that begins with /")
    fields.done()
    return hop
