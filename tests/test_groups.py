"""Tests that must not run side by side."""

import os

import pytest

GROUP = "kept-together"


@pytest.mark.xdist_group(GROUP)
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="there is one worker only")
def test_a_group_is_part_of_the_name_that_its_tests_are_handed_out_by(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith(f"@{GROUP}")
