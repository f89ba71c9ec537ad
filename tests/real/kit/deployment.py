"""What `deploy/` installs, put on a real cluster by a real kubectl, and the rights it grants to the daemon."""

from collections.abc import Iterator

from reconciler_sandbox.client import Caller

from tests.kit.granted import DEPLOY, EXAMPLE, Asked, Right
from tests.kit.kubectl import Kubectl
from tests.real.kit.accounts import token_of, user_name
from tests.real.kit.audit import Entry

NAMESPACE, ACCOUNT = "reconciler", "reconciler"
DAEMON = user_name(NAMESPACE, ACCOUNT)
FOLLOWED = ("shop", "istio-ingress")


def used(right: Right, entry: Entry) -> bool:
    """Whether a request of the audit log needed a right."""
    return any(right.allows(asked) for asked in asked_by(entry))


def asked_by(entry: Entry) -> Iterator[Asked]:
    """What a request needs to be allowed. An apply that created the object also needed `create`."""
    resource, _, subresource = entry.resource.partition("/")
    for verb in ("patch", "create") if (entry.verb, entry.code) == ("patch", 201) else (entry.verb,):
        yield Asked(verb, entry.group, resource, subresource, entry.namespace, entry.name)


async def installed(call: Caller, kubectl: Kubectl) -> str:
    """Install as deploy/base says; the token of the daemon's account, which nobody else uses."""
    await kubectl(f"apply -f {DEPLOY / 'crds'}")
    for namespace in FOLLOWED:
        await kubectl(f"create namespace {namespace}")
    await kubectl(f"apply -k {EXAMPLE}")
    await kubectl(f"-n {NAMESPACE} delete deployment {ACCOUNT}")  # its image is nowhere; the daemon runs beside the cluster
    return await token_of(call, NAMESPACE, ACCOUNT)
