"""Acting as somebody else: `kubectl --as`, for whoever has the right to impersonate."""

from collections.abc import Callable, Mapping

from reconciler_sandbox.apiserver.bodies import header
from reconciler_sandbox.apiserver.failures import bad_request
from reconciler_sandbox.apiserver.identity import AUTHENTICATED, SERVICE_ACCOUNT, User, service_account
from reconciler_sandbox.apiserver.rights import Asked

USER, GROUP = "impersonate-user", "impersonate-group"


def acting(user: User, headers: Mapping[str, str], admit: Callable[[User, Asked], None]) -> User:
    """Who a call is of: the user himself, or whom he may act as. Raises Failure 400 or 403."""
    name, groups = header(headers, USER), [one.strip() for one in header(headers, GROUP).split(",") if one.strip()]
    if not name:
        if groups:
            raise bad_request("requested groups without impersonating a user")
        return user
    for asked in (_asked(name), *(Asked("impersonate", "", "groups", name=group) for group in groups)):
        admit(user, asked)
    if name.startswith(SERVICE_ACCOUNT) and name.count(":") == 3:
        account = service_account(*name.removeprefix(SERVICE_ACCOUNT).split(":"))
        return User(name, (*groups, AUTHENTICATED)) if groups else account
    return User(name, (*groups, *(() if AUTHENTICATED in groups else (AUTHENTICATED,))))


def _asked(name: str) -> Asked:
    if not name.startswith(SERVICE_ACCOUNT) or name.count(":") != 3:
        return Asked("impersonate", "", "users", name=name)
    namespace, account = name.removeprefix(SERVICE_ACCOUNT).split(":")
    return Asked("impersonate", "", "serviceaccounts", namespace=namespace, name=account)
