"""Where the shared client never goes unasked: link-local and metadata addresses, which lend a machine's own rights to all on it."""

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import httpx

from reconciler.kernel.errors import Terminal

NETWORKS = tuple(map(ip_network, ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32")))
NAMES = frozenset({"metadata.google.internal"})
CONNECTED = "connection.connect_tcp.complete"


async def guard(request: httpx.Request) -> None:
    """Refuse a request by the name in its URL; and by the address that the name led to, before a byte is sent. Raises Terminal."""
    host = request.url.host
    if host.rstrip(".").lower() in NAMES or forbidden(host):
        raise _refusal(host)

    # A name is judged by where it led, not by asking for it once more: the second answer could be another one.
    async def connected(event: str, details: Mapping[str, Any]) -> None:
        if event != CONNECTED:
            return
        stream = details["return_value"]
        address = stream.get_extra_info("server_addr")
        if address and forbidden(str(address[0])):
            await stream.aclose()
            raise _refusal(host)

    request.extensions["trace"] = connected


def forbidden(host: str) -> bool:
    """True for an address of the forbidden networks, however it is written; False for other addresses and for names."""
    with suppress(ValueError):
        address = ip_address(host.strip("[]").partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in NETWORKS)
    return False


def _refusal(host: str) -> Terminal:
    return Terminal(f"{host}: a link-local or metadata address is not asked; `linkLocal: true` in reconciler.yaml allows it")
