"""What holds for every test: generated cases are never judged by how long a busy machine takes, and groups stay on one worker.

Generated cases are the same in every run, so that a change is judged by what it changes; `EXPLORE=1 make test` looks for new ones.
"""

import os

import pytest
from _pytest.nodeid import NodeId
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="EXPLORE" not in os.environ)
settings.load_profile("house")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pytest-xdist 3.8 writes the `xdist_group` of a test where pytest 9.2 does not look any more: without this, groups are scattered."""
    for item in items:
        grouped = vars(item).get("_nodeid")
        if grouped is not None:
            item._id = NodeId.parse(grouped)
