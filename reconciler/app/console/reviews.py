"""Asks the cluster who a token is and what a person may do, and writes as that person: RBAC and the audit log stay the cluster's."""

from reconciler.app.console.persons import Person
from reconciler.app.console.verbs import ConsoleVerb
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Resource
from reconciler.kube.client import Client

TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
ACCESS_REVIEWS = Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False)


async def person_of_token(client: Client, token: str) -> Person | None:
    """Who the cluster says a token is; None when it is no person's. Raises Forbidden without the right to ask."""
    review = {"apiVersion": TOKEN_REVIEWS.api_version, "kind": TOKEN_REVIEWS.kind, "metadata": {}, "spec": {"token": token}}
    status = (await client.create(TOKEN_REVIEWS, review)).get("status") or {}
    user = status.get("user") or {}
    if status.get("authenticated") is not True or not user.get("username"):
        return None
    return Person(str(user["username"]), tuple(str(group) for group in user.get("groups") or ()), str(user.get("uid") or ""))


async def require_access(client: Client, person: Person, verb: ConsoleVerb, namespace: str) -> None:
    """Raises Terminal when the cluster would not let this person patch what the verb patches."""
    resource, subresource = verb.right.resource, verb.right.subresource
    wanted = {"verb": "patch", "group": resource.group, "resource": resource.plural}
    wanted |= {"namespace": namespace} if namespace else {}
    wanted |= {"subresource": subresource} if subresource else {}
    spec = {"user": person.name, "groups": list(person.groups), "resourceAttributes": wanted}
    review = {"apiVersion": ACCESS_REVIEWS.api_version, "kind": ACCESS_REVIEWS.kind, "metadata": {}, "spec": spec}
    status = (await client.create(ACCESS_REVIEWS, review)).get("status") or {}
    if status.get("allowed") is not True:
        what = "/".join(filter(None, (f"{resource.plural}.{resource.group}" if resource.group else resource.plural, subresource)))
        raise Terminal(f"the cluster does not let {person.name} patch {what}{f' in namespace {namespace}' if namespace else ''}")
