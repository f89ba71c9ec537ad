"""Loopback addresses for pods: blocks like 127.x.y.0/24 that belong to one sandbox, each claimed by holding a socket in it."""

import socket
import sys
from collections import deque

FIRST_HOST = 1
LAST_HOST = 253
GUARD_HOST = 254
GUARD_PORT = 61997 if sys.platform != "linux" else 0
# 127.0.*.* is left alone: resolvers and other services listen there.
BLOCKS = tuple((second, third) for second in range(16, 128) for third in range(256))


class AddressesExhausted(Exception):
    """No free loopback block is left."""


class AddressPool:
    """Hands out addresses, claiming block after block; a returned address is used again last. `close` frees the blocks."""

    def __init__(self) -> None:
        self._guards: list[socket.socket] = []
        self._free: deque[str] = deque()

    def take(self) -> str:
        """An address nobody else uses. Raises AddressesExhausted."""
        if not self._free:
            guard, prefix = _claim()
            self._guards.append(guard)
            self._free.extend(f"{prefix}.{host}" for host in range(FIRST_HOST, LAST_HOST + 1))
        return self._free.popleft()

    def give_back(self, address: str) -> None:
        """The pod of this address is gone."""
        self._free.append(address)

    def close(self) -> None:
        """Give up all blocks."""
        for guard in self._guards:
            guard.close()
        self._guards.clear()
        self._free.clear()


def _claim() -> tuple[socket.socket, str]:
    reason = ""
    for second, third in BLOCKS:
        prefix = f"127.{second}.{third}"
        guard = _guard()
        try:
            _bind(guard, prefix)
        except OSError as error:
            reason = error.strerror or str(error)
            guard.close()
            continue
        return guard, prefix
    raise AddressesExhausted(f"no loopback address can be listened on ({reason}); does this system route 127.0.0.0/8 to itself?")


def _guard() -> socket.socket:
    """What a second sandbox finds taken. On Linux no port at all: whoever listens on `*` would hold that port of every block."""
    if GUARD_PORT:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


def _bind(guard: socket.socket, prefix: str) -> None:
    # Without SO_REUSEADDR: a second sandbox fails here and tries the next block.
    guard.bind((f"{prefix}.{GUARD_HOST}", GUARD_PORT) if GUARD_PORT else f"\0reconciler-sandbox/{prefix}")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.bind((f"{prefix}.{FIRST_HOST}", 0))
