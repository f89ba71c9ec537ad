"""The pod network: what the API knows a pod by, and where it listens.

A real API server refuses loopback addresses in Endpoints, and without root there are no others to listen on. So a pod that listens
on 127.x.y.z may be known as 0.x.y.z, and whoever connects to it takes the way back with `listens_at` after asking `leads_away`.
Never dial a known address itself: connections to 0.x.y.z can leave the machine.
"""

from ipaddress import ip_address

KNOWN, LISTENING = "0", "127"


def known_as(listening: str) -> str:
    """The address to publish for a pod that listens at an address; what is not loopback stays."""
    return _moved(listening, LISTENING, KNOWN)


def listens_at(known: str) -> str:
    """Where the pod listens that is known by an address; what no pod is known by stays."""
    return _moved(known, KNOWN, LISTENING)


def leads_away(known: str) -> bool:
    """Whether connecting to a known address would leave this machine. A text that is no address leads nowhere."""
    try:
        return not ip_address(listens_at(known)).is_loopback
    except ValueError:
        return False


def _moved(address: str, origin: str, target: str) -> str:
    first, _, rest = address.partition(".")
    return f"{target}.{rest}" if first == origin and rest != "0.0.0" else address
