"""Commands and the daemon set logging up for their whole process: every test puts it back, or later ones would write to closed files."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)
