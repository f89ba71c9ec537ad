"""Requests in the name of a ServiceAccount: the server lets them do what that account may, and says so in its own words (Kubernetes docs,
"User impersonation")."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from reconciler.kube.transport import Request, Response, Transport

HEADER = "Impersonate-User"


class Impersonating:
    """A transport that speaks for one user; the server adds the groups of a ServiceAccount itself."""

    def __init__(self, transport: Transport, user: str) -> None:
        self._transport = transport
        self._user = user

    def open(self, request: Request) -> AbstractAsyncContextManager[Response]:
        """The same request in that user's name."""
        return self._transport.open(replace(request, headers={**request.headers, HEADER: self._user}))


def service_account_user(account: str) -> str:
    """How the server knows a ServiceAccount that is written as `namespace/name`."""
    namespace, _, name = account.partition("/")
    return f"system:serviceaccount:{namespace}:{name}"
