"""Loopback addresses for pods: one 127.x.y.0/24 block per sandbox, claimed by holding a socket in it."""

import socket

FIRST_HOST = 1
LAST_HOST = 253
GUARD_HOST = 254
GUARD_PORT = 61997
# 127.0.*.* is left alone: resolvers and other services listen there.
BLOCKS = tuple((second, third) for second in range(16, 128) for third in range(256))


class AddressesExhausted(Exception):
    """No free loopback block or no free address is left."""


class AddressPool:
    """Hands out addresses of one block; a returned address is used again last. `close` frees the block for other sandboxes."""

    def __init__(self) -> None:
        self._guard, prefix = _claim()
        self._free = [f"{prefix}.{host}" for host in range(FIRST_HOST, LAST_HOST + 1)]

    def take(self) -> str:
        """An address nobody else uses."""
        if not self._free:
            raise AddressesExhausted("all pod addresses of this sandbox are in use")
        return self._free.pop(0)

    def give_back(self, address: str) -> None:
        """The pod of this address is gone."""
        self._free.append(address)

    @property
    def free(self) -> int:
        """How many addresses are left."""
        return len(self._free)

    def close(self) -> None:
        """Give up the block."""
        self._guard.close()


def _claim() -> tuple[socket.socket, str]:
    for second, third in BLOCKS:
        prefix = f"127.{second}.{third}"
        guard = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            # Without SO_REUSEADDR: a second sandbox fails here and tries the next block.
            guard.bind((f"{prefix}.{GUARD_HOST}", GUARD_PORT))
        except OSError:
            guard.close()
            continue
        return guard, prefix
    raise AddressesExhausted("no loopback block is free; does this system route 127.0.0.0/8 to itself?")
