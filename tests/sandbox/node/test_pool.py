"""Loopback addresses for pods."""

import socket

from reconciler_sandbox.node.pool import AddressPool


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


def test_a_full_block_is_followed_by_another() -> None:
    pool = AddressPool()
    try:
        taken = [pool.take() for _ in range(300)]
        assert len(set(taken)) == 300
        assert len({address.rsplit(".", 1)[0] for address in taken}) == 2
    finally:
        pool.close()


def test_a_closed_pool_frees_its_blocks_for_others() -> None:
    first, second = AddressPool(), AddressPool()
    address = first.take()
    first.close()
    try:
        assert second.take() == address
    finally:
        second.close()
