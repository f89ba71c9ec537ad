"""What every test of a command starts from: a cluster over HTTP and a command line beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.shell import Shell, shell


@pytest.fixture
def sh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    with shell(tmp_path, capsys) as running:
        yield running
