"""What tests of commands, pages and the daemon share: a command line beside a cluster, and logging as it was before.

Commands and the daemon set logging up for their whole process: every test puts it back, or later ones would write to closed files.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.kit.shell import Shell, shell


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def sh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """A cluster over HTTP and a command line beside it."""
    with shell(tmp_path, capsys) as running:
        yield running
