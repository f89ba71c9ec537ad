"""The words of `console:`, strictly: where it is served, who is let in, and what their groups let them do (docs/console.md)."""

import re
from ipaddress import ip_address

from reconciler.app.settings.model import ConsoleSettings, LoginSettings, OpenIdSettings, RoleSettings
from reconciler.kernel.address import split_address
from reconciler.kernel.strict import FieldError, StrictFields

ADDRESS = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._~/-]*)?")
HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\]")
NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
ROLES = ("viewer", "releaser", "admin")
SCOPES = ("openid", "profile", "email", "groups")


def console_settings(fields: StrictFields) -> ConsoleSettings:
    """Where the console is served, and to whom. Raises FieldError naming the first wrong field."""
    console = ConsoleSettings(
        listen=fields.text("listen", "127.0.0.1:8091"),
        hosts=tuple(map(str.lower, fields.texts("hosts"))),
        url=fields.text("url", "").rstrip("/"),
        anonymous=fields.flag("anonymous", False),
        login=fields.inner("login", _login),
    )
    if console.url and not ADDRESS.fullmatch(console.url):
        raise FieldError(fields.path("url"), "is no address that a browser opens: write one like https://console.example.com")
    for host in console.hosts:
        if not HOST.fullmatch(host):
            raise FieldError(
                fields.path("hosts"), f"{host!r} is no name of a host: write one like console.example.com, without port and path"
            )
    if console.login is None and not console.anonymous and not _is_loopback(console.listen):
        raise FieldError(fields.path("listen"), "lets others than this machine in: write login, or anonymous: true if everybody may look")
    if console.login is not None and not _keeps_cookies(console.url):
        raise FieldError(fields.path("url"), "must be the https:// address that people open: login sends them back there")
    fields.done()
    return console


def _is_loopback(listen: str) -> bool:
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return host in ("", "localhost") or ip_address(host).is_loopback
    except ValueError:
        return False


def _keeps_cookies(url: str) -> bool:
    """True of https, and of http on this machine: elsewhere everybody on the way would read the cookie of a login."""
    parts = split_address(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(f"{parts.hostname}:0"))


def _login(fields: StrictFields) -> LoginSettings:
    login = LoginSettings(
        session=fields.span("session", "1h"),
        openid=fields.inner("openid", _openid),
        token=fields.flag("token", False),
        roles=fields.each("roles", _role),
    )
    if login.openid is None and not login.token:
        raise FieldError(fields.path("openid"), "is missing: write openid, or token: true")
    if not login.roles:
        raise FieldError(fields.path("roles"), "is missing: without a role nobody sees anything; write [{group: …, role: viewer}]")
    fields.done()
    return login


def _openid(fields: StrictFields) -> OpenIdSettings:
    openid = OpenIdSettings(
        issuer=fields.text("issuer"),
        client=fields.text("clientId"),
        secret_file=fields.text("clientSecretFile", ""),
        scopes=fields.texts("scopes") or SCOPES,
        user_claim=fields.text("userClaim", "email"),
        groups_claim=fields.text("groupsClaim", "groups"),
        user_prefix=fields.text("userPrefix", ""),
        groups_prefix=fields.text("groupsPrefix", ""),
    )
    if not ADDRESS.fullmatch(openid.issuer) or not _keeps_cookies(openid.issuer):
        raise FieldError(fields.path("issuer"), "must be the https:// address of the identity provider, as it writes it itself")
    if "openid" not in openid.scopes:
        raise FieldError(fields.path("scopes"), "must name openid: without it there is no identity token")
    fields.done()
    return openid


def _role(fields: StrictFields) -> RoleSettings:
    role = RoleSettings(group=fields.text("group"), role=fields.choice("role", ROLES), namespaces=fields.texts("namespaces"))
    if not role.group:
        raise FieldError(fields.path("group"), "is empty: name a group")
    for namespace in role.namespaces:
        if not NAMESPACE.fullmatch(namespace):
            raise FieldError(fields.path("namespaces"), f"{namespace!r} is not the name of a namespace; leave it out for all of them")
    fields.done()
    return role
