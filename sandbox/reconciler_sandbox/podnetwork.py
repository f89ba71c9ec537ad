"""The pod network: what the API knows a pod by, and where it listens.

A real API server refuses loopback addresses in Endpoints, and without root there are no others to listen on. So a pod that listens
on 127.x.y.z may be known as 0.x.y.z, and whoever connects to it takes the way back with `listens_at` after asking `leads_away`.
Never dial a known address itself: connections to 0.x.y.z can leave the machine.

A pod's port is another port of the machine, a free one: whoever listens on `*:8080` holds port 8080 of every loopback address too.
"""

import socket
from ipaddress import ip_address

KNOWN, LISTENING = "0", "127"


class PodPorts:
    """Which port of the machine stands for which port of a pod, as long as the pod is there: held by a socket that does not listen."""

    def __init__(self) -> None:
        self._held: dict[str, dict[int, socket.socket]] = {}

    def enter(self, listening: str) -> None:
        """From now on the ports of this address are a pod's: those it did not open are closed, whoever listens on the machine's."""
        self._held.setdefault(listening, {})

    def open(self, listening: str, port: int) -> int:
        """The machine's port for a port of the pod, the same one at every start. Raises OSError when none can be had."""
        held = self._held.setdefault(listening, {})
        if port not in held:
            held[port] = _reserved(listening)
        return int(held[port].getsockname()[1])

    def leave(self, listening: str) -> None:
        """The pod is gone."""
        for held in self._held.pop(listening, {}).values():
            held.close()

    def at(self, listening: str, port: int) -> int | None:
        """Where a port is answered; None when the pod never opened it. Addresses of no pod have their own ports."""
        held = self._held.get(listening)
        if held is None:
            return port
        return int(held[port].getsockname()[1]) if port in held else None


def _reserved(listening: str) -> socket.socket:
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the server binds the same port beside us
        held.bind((listening, 0))
    except OSError:
        held.close()
        raise
    return held


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
