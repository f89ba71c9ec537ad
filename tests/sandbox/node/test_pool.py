"""Loopback addresses for pods."""

import socket

import pytest

from reconciler.sandbox.node.pool import AddressesExhausted, AddressPool


def test_two_sandboxes_never_share_an_address() -> None:
    first, second = AddressPool(), AddressPool()
    try:
        assert first.take().rsplit(".", 1)[0] != second.take().rsplit(".", 1)[0]
    finally:
        first.close()
        second.close()


def test_an_address_can_be_listened_on_and_is_used_again_last() -> None:
    pool = AddressPool()
    try:
        address = pool.take()
        with socket.socket() as listener:
            listener.bind((address, 0))
        pool.give_back(address)
        assert pool.take() != address
    finally:
        pool.close()


def test_an_exhausted_pool_says_so() -> None:
    pool = AddressPool()
    try:
        while pool.free:
            pool.take()
        with pytest.raises(AddressesExhausted):
            pool.take()
    finally:
        pool.close()
