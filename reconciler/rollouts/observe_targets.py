"""Asks which pods of a Service its load balancers know. What cannot be read is an answer that says so, and keeps the old pods."""

from reconciler.aws.balancers import BalancerReader
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.resources import ENDPOINTS, TARGET_GROUP_BINDINGS
from reconciler.kube.client import Client
from reconciler.kube.errors import Forbidden, NotServed
from reconciler.rollouts.facts import Targets
from reconciler.rollouts.traffic.targets import bindings, compared


async def targets(client: Client, balancers: BalancerReader, service: Manifest) -> Targets | None:
    """What is missing; None where nothing binds this Service by the addresses of its pods."""
    try:
        found = await client.list(TARGET_GROUP_BINDINGS, namespace_of(service))
        endpoints = await client.find(ENDPOINTS, namespace_of(service), name_of(service)) if found else None
    except NotServed:
        return None
    except (Forbidden, Terminal) as error:
        return Targets(name_of(service), problem=f"its target groups cannot be read: {error}"[:300])
    bound = bindings(service, found, endpoints)
    if not bound:
        return None
    registered = await balancers.registered([one.arn for one in bound])
    if registered.unread:
        return Targets(name_of(service), problem=registered.unread)
    return compared(name_of(service), bound, registered.found)
