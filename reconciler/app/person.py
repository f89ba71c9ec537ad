"""Who the cluster takes us for: the name under which a person freezes, presses and is put on record."""

from getpass import getuser
from socket import gethostname

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Resource
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError

REVIEWS = Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)


async def who(client: Client) -> str:
    """The name the cluster knows; on servers that do not tell, who we are on this machine."""
    review = {"apiVersion": REVIEWS.api_version, "kind": REVIEWS.kind, "metadata": {}}
    try:
        answer = await client.create(REVIEWS, review)
        name = str(((answer.get("status") or {}).get("userInfo") or {}).get("username") or "")
    except (ApiError, Transient):
        name = ""
    return name or _local_user()


def _local_user() -> str:
    try:
        return f"{getuser()}@{gethostname()}"
    except (KeyError, OSError):  # a container's user may have no name
        return gethostname()
