"""Who we are at AWS, without a library of AWS.

`botocore` is blocking, asks past the client that all share, and cannot be installed beside the Kubernetes client (the two want different
versions of python-dateutil). What is here is the part of its credential chain that a pod has: keys in the environment, the web identity
of a service account (IRSA), files of profiles, the container endpoint (EKS Pod Identity, ECS), and a role to assume on top.
Shapes: the API references of STS and of the SDKs' settings (docs.aws.amazon.com).
"""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.aws.profiles import Profile, find_profile
from reconciler.aws.query import QueryService, Send, query, text_of
from reconciler.aws.signing import Keys
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of
from reconciler.web.client import HttpCall

TIMEOUT, LIMIT = 10.0, 64 << 10
EARLY = timedelta(minutes=5)
"""So long before they end, keys are asked for anew."""
SESSION = "reconciler"
DEFAULT_PROFILE, LONGEST_CHAIN = "default", 5
UNREADABLE = "aws: credentials were answered in a form that cannot be read"
NO_KEYS = "aws: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, mount profiles, or give the service account a role"


class Aws:
    """The credentials of this daemon, asked for once and again before they end."""

    def __init__(self, send: Send, variables: Mapping[str, str]) -> None:
        self._send = send
        self._variables = variables
        self._known: dict[tuple[str, str, str], Keys] = {}

    def region(self, wanted: str = "") -> str:
        """Raises Terminal when nothing says which."""
        found = wanted or self._variables.get("AWS_REGION") or self._variables.get("AWS_DEFAULT_REGION") or ""
        if not re.fullmatch(r"[a-z0-9-]{1,40}", found):
            raise Terminal("aws: no region: set AWS_REGION" if not found else f"aws: {found!r} is no region")
        return found

    def endpoint(self, service: str, name: str, region: str) -> str:
        """Where a service is; the variables of AWS's SDKs may say another place."""
        told = self._variables.get(f"AWS_ENDPOINT_URL_{name}") or self._variables.get("AWS_ENDPOINT_URL")
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return (told or f"https://{service}.{region}.{suffix}").rstrip("/")

    async def keys(self, region: str, role: str, now: datetime, profile: str = "") -> Keys:
        """Credentials, of a profile or a role if one is named. Raises Terminal with what is missing, Transient when a service is silent."""
        named = profile or self._variables.get("AWS_PROFILE", "")
        known = self._known.get((region, role, named))
        if known is not None and (known.until is None or now < known.until - EARLY):
            return known
        found = await (self._of_profile(region, named, now) if named else self._own(region, now))
        if role:
            found = await self._assumed(region, role, found, now)
        if found.until is not None:
            self._known[region, role, named] = found
        return found

    async def _own(self, region: str, now: datetime) -> Keys:
        identity, secret = self._variables.get("AWS_ACCESS_KEY_ID", ""), self._variables.get("AWS_SECRET_ACCESS_KEY", "")
        if identity and secret:
            return Keys(identity, secret, self._variables.get("AWS_SESSION_TOKEN", ""))
        file, role = self._variables.get("AWS_WEB_IDENTITY_TOKEN_FILE", ""), self._variables.get("AWS_ROLE_ARN", "")
        if file and role:
            asked = {"Action": "AssumeRoleWithWebIdentity", "RoleArn": role, "WebIdentityToken": await _read(file)}
            return await self._sts(region, asked, None, now)
        if await self._profile(DEFAULT_PROFILE) is not None:
            return await self._of_profile(region, DEFAULT_PROFILE, now)
        container = self._variables.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
        if container:
            return await self._container(container)
        raise Terminal(NO_KEYS)

    async def _profile(self, name: str) -> Profile | None:
        return await asyncio.to_thread(find_profile, self._variables, name)

    async def _of_profile(self, region: str, name: str, now: datetime, through: tuple[str, ...] = ()) -> Keys:
        """The keys of a profile, by way of those that it names; a profile may assume its role with its own."""
        found = await self._profile(name)
        if found is None:
            raise Terminal(f"aws: no profile {name!r} in the files of profiles")
        if not found.role or (through and found.keys is not None and through[-1] == name):
            return found.keys or self._missing()
        asked = {"RoleArn": found.role, **({"ExternalId": found.external} if found.external else {})}
        if found.token_file:
            asked = {"Action": "AssumeRoleWithWebIdentity", **asked, "WebIdentityToken": await _read(found.token_file)}
            return await self._sts(region, asked, None, now)
        if len(through) >= LONGEST_CHAIN:
            raise Terminal(f"aws: profile {name!r} leads to more than {LONGEST_CHAIN} others, or back to itself")
        own = await self._of_profile(region, found.source, now, (*through, name))
        return await self._sts(region, {"Action": "AssumeRole", **asked}, own, now)

    def _missing(self) -> Keys:
        raise Terminal(NO_KEYS)

    async def _assumed(self, region: str, role: str, own: Keys, now: datetime) -> Keys:
        return await self._sts(region, {"Action": "AssumeRole", "RoleArn": role}, own, now)

    async def _sts(self, region: str, asked: Mapping[str, str], own: Keys | None, now: datetime) -> Keys:
        """Keys of a role, from the security token service."""
        service = QueryService("sts", "2011-06-15", self.endpoint("sts", "STS", region), region)
        name = self._variables.get("AWS_ROLE_SESSION_NAME") or SESSION
        granted = (await query(self._send, service, {"RoleSessionName": name, **asked}, own, now)).find("Credentials")
        if granted is None:
            raise Terminal(UNREADABLE)
        identity, secret, token, until = (
            text_of(granted, name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
        )
        return _keys(identity, secret, token, until)

    async def _container(self, url: str) -> Keys:
        """The agent of the node; its address is link-local, so `linkLocal` has to allow it."""
        file, token = self._variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", ""), ""
        token = await _read(file) if file else self._variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        call = HttpCall(method="GET", url=url, headers={"Authorization": token} if token else {}, timeout=TIMEOUT, limit=LIMIT)
        answer = await self._send(call)
        document: Any = answer.document()
        if answer.status != 200 or not isinstance(document, dict):
            raise Terminal(f"aws: the container's credentials answered {answer.status}")
        identity, secret, token, until = (
            str(document.get(name) or "") for name in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")
        )
        return _keys(identity, secret, token, until)


def _keys(identity: str, secret: str, token: str, until: str) -> Keys:
    if not identity or not secret or not f"{identity}{secret}{token}".isascii():
        raise Terminal(UNREADABLE)
    try:
        ends = datetime.fromisoformat(until)
    except ValueError as error:
        raise Terminal("aws: credentials were answered without an end") from error
    return Keys(identity, secret, token, ends if ends.tzinfo else ends.replace(tzinfo=UTC))


async def _read(file: str) -> str:
    try:
        return (await asyncio.to_thread(Path(file).read_text)).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Terminal(f"aws: {file} cannot be read: {reason_of(error)}") from error
