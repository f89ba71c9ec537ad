"""Who looks at a console, and what their role lets them do. Pure; the cluster has the last word on every write."""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """What a visitor may do; each includes the one before."""

    NOBODY = 0
    VIEWER = 1
    RELEASER = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """A role, in some namespaces or (None) in all of them."""

    role: Role
    namespaces: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One person, as far as they are known; without a session only to look."""

    name: str = ""
    session: str = ""
    """Names the login; what a form was made for. Empty: nothing can be pressed."""
    grants: tuple[RoleGrant, ...] = ()

    def role_in(self, namespace: str) -> Role:
        """Their role in a namespace; an empty one means what is about all of them."""
        found = [grant.role for grant in self.grants if grant.namespaces is None or namespace in grant.namespaces]
        return max(found, default=Role.NOBODY)

    def may(self, role: Role, namespace: str) -> bool:
        """True when they are logged in with at least this role there."""
        return bool(self.session) and self.role_in(namespace) >= role

    @property
    def sight(self) -> frozenset[str] | None:
        """The namespaces that they may look at; None for all."""
        seen = [grant.namespaces for grant in self.grants if grant.role >= Role.VIEWER]
        if None in seen:
            return None
        return frozenset().union(*(one for one in seen if one is not None))


STRANGER = Visitor()
EVERYWHERE_VIEWER = (RoleGrant(Role.VIEWER),)
EVERYTHING = (RoleGrant(Role.ADMIN),)
