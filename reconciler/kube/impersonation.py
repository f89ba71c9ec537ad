"""Requests in the name of a person or a ServiceAccount: the server lets them do what that one may, and says so in its own words (Kubernetes
docs, "User impersonation")."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from reconciler.kube.transport import Request, Response, Transport


class Impersonating:
    """A transport that speaks for one user and their groups; to those of a ServiceAccount the server adds the groups itself."""

    def __init__(self, transport: Transport, user: str, groups: tuple[str, ...] = ()) -> None:
        self._transport = transport
        self._user = user
        self._groups = groups

    def open(self, request: Request) -> AbstractAsyncContextManager[Response]:
        """The same request in that user's name."""
        return self._transport.open(replace(request, user=self._user, groups=self._groups))


def service_account_user(account: str) -> str:
    """How the server knows a ServiceAccount that is written as `namespace/name`."""
    namespace, _, name = account.partition("/")
    return f"system:serviceaccount:{namespace}:{name}"
