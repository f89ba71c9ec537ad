"""A ServiceAccount of the namespace, and requests as it: real tokens, real rights."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from reconciler.kube.config import endpoint
from tests.real.kit.api import Api, Json
from tests.real.kit.servers import Server

RIGHTS = "rbac.authorization.k8s.io/v1"
NAME = "robot"


@asynccontextmanager
async def requests_of(server: Server, api: Api, token: str | None) -> AsyncIterator[Api]:
    """Requests with a token, or with none at all."""
    where = endpoint(str(server.kubeconfig))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(ssl=where.tls if where.tls is not None else True)
    async with aiohttp.ClientSession(where.server, headers=headers, connector=connector) as session:
        yield Api(session, api.namespace)


async def token_of(api: Api, name: str = NAME) -> str:
    """The token of a new ServiceAccount."""
    await api.made(api.ours("serviceaccounts"), {"metadata": {"name": name}})
    request = {"spec": {"audiences": [], "expirationSeconds": 3600}}
    return str((await api.made(api.ours("serviceaccounts", name) + "/token", request))["status"]["token"])


def rule(verbs: str, resources: str, group: str = "", **more: Any) -> Json:
    return {"verbs": verbs.split(","), "apiGroups": [group], "resources": resources.split(","), **more}


async def allow(api: Api, name: str, *rules: Json) -> None:
    """Give the ServiceAccount a role of its own, and wait until it counts."""
    await api.made(api.ours("roles", group=RIGHTS), {"metadata": {"name": name}, "rules": list(rules)})
    binding = {"metadata": {"name": name}, "roleRef": {"apiGroup": RIGHTS.partition("/")[0], "kind": "Role", "name": name}}
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": api.namespace}
    await api.made(api.ours("rolebindings", group=RIGHTS), {**binding, "subjects": [subject]})
    verb, resource = rules[0]["verbs"][0], rules[0]["resources"][0]
    asked = {
        "verb": verb,
        "group": rules[0]["apiGroups"][0],
        "resource": resource.partition("/")[0],
        "subresource": resource.partition("/")[2],
    }
    spec = {"user": f"system:serviceaccount:{api.namespace}:{NAME}", "resourceAttributes": {**asked, "namespace": api.namespace}}
    named = rules[0].get("resourceNames")
    if named:
        spec["resourceAttributes"]["name"] = named[0]
    review = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    for _ in range(200):  # a real server learns of new rights through a watch
        if (await api.made(review, {"spec": spec}))["status"]["allowed"]:
            return
    raise AssertionError(f"{name} does not count")
