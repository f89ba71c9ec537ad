"""What is on record of the preview of a release: how testers reach it, until when, and how far their header comes. A part of its JSON."""

from reconciler.kernel.struct import Moment, Struct


class Propagation(Struct, frozen=True, kw_only=True):
    """One probe: a tagged request to each service that the policy names, in order, up to the first that did not receive the tag."""

    at: Moment
    reached: tuple[str, ...] = ()
    """The services that received it."""
    lost: str = ""
    """The first service that did not: the one before it, or what stands between them, drops the header."""
    problem: str = ""
    """Why nothing is known beyond `reached`; empty when all was asked."""


class PreviewRecord(Struct, frozen=True, kw_only=True):
    """The newest preview of one attempt; one that closed and opened again begins anew."""

    names: tuple[str, ...]
    """The managed routes, or `nginx`."""
    ways: tuple[str, ...]
    """Any of these conditions is enough."""
    address: str = ""
    since: Moment
    until: Moment | None = None
    """When it is torn down if no user is on the version by then; None: it goes with its release."""
    ended: Moment | None = None
    expired: bool = False
    """True when it was torn down because its time was over."""
    propagation: Propagation | None = None
