"""A person as their provider or the cluster names them, and the roles that the settings give their groups. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.app.console.visitors import Role, RoleGrant
from reconciler.app.settings.model import OpenIdSettings, RoleSettings
from reconciler.kernel.errors import Terminal

RESERVED = "system:"
"""Names that only the cluster itself gives: a provider that says `system:masters` makes no administrator."""
GROUPS = 500


@dataclass(frozen=True, slots=True)
class Person:
    """Who a person is to the cluster."""

    name: str
    groups: tuple[str, ...] = ()
    subject: str = ""
    """What the provider calls them for ever; a name may be given to another person later."""


def person_of_claims(claims: Mapping[str, Any], settings: OpenIdSettings) -> Person:
    """The person of a verified token. Raises Terminal where it names none that may be trusted."""
    name = claims.get(settings.user_claim)
    if not isinstance(name, str) or not name.strip() or len(name) > 256 or not name.isprintable():
        raise Terminal(f"the identity token names nobody: claim {settings.user_claim} is missing; ask for its scope, or set userClaim")
    if settings.user_claim == "email" and claims.get("email_verified") is False:
        raise Terminal(f"the provider has not verified the address {name}: it may be anybody's")
    full = settings.user_prefix + name
    if full.startswith(RESERVED):
        raise Terminal(f"{full} is a name of the cluster's own: no provider may give it; set userPrefix")
    groups = groups_of(claims, settings)
    return Person(full, groups if groups is not None else (), str(claims.get("sub") or ""))


def groups_of(claims: Mapping[str, Any], settings: OpenIdSettings) -> tuple[str, ...] | None:
    """The groups that claims name; None where they do not speak of groups."""
    told = claims.get(settings.groups_claim)
    if told is None:
        return None
    listed = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    named = [settings.groups_prefix + one for one in listed if isinstance(one, str) and one.isprintable() and 0 < len(one) <= 256]
    return tuple(one for one in dict.fromkeys(named) if not one.startswith(RESERVED))[:GROUPS]


def grants_of(groups: Iterable[str], roles: Iterable[RoleSettings]) -> tuple[RoleGrant, ...]:
    """What membership in groups gives."""
    member = set(groups)
    return tuple(
        RoleGrant(Role[one.role.upper()], frozenset(one.namespaces) if one.namespaces else None) for one in roles if one.group in member
    )
