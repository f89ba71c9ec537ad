"""Pods are known by addresses that an API server accepts, and reached where they listen."""

import pytest
from reconciler_sandbox.podnetwork import known_as, leads_away, listens_at


@pytest.mark.parametrize(("listening", "known"), [("127.16.0.1", "0.16.0.1"), ("127.127.255.253", "0.127.255.253")])
def test_the_way_there_and_back(listening: str, known: str) -> None:
    assert known_as(listening) == known
    assert listens_at(known) == listening


@pytest.mark.parametrize("address", ["0.0.0.0", "10.0.0.80", "192.168.16.1", "fd00::1", "localhost"])
def test_what_is_no_pod_stays(address: str) -> None:
    assert listens_at(address) == address
    assert known_as(address) == address


@pytest.mark.parametrize("known", ["127.16.0.1", "0.16.0.1", "::1", "no address", ""])
def test_pods_and_texts_that_are_no_address_do_not_lead_away(known: str) -> None:
    assert not leads_away(known)


@pytest.mark.parametrize("known", ["0.0.0.0", "10.16.2.1", "192.0.2.1", "fd00::1"])
def test_every_other_address_leads_away(known: str) -> None:
    assert leads_away(known)
