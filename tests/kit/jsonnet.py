"""Tests that evaluate jsonnet: its wheel is there for the machines that most people have."""

from importlib.util import find_spec

import pytest

WITH_JSONNET = pytest.mark.skipif(find_spec("_jsonnet") is None, reason="no wheel of jsonnet for this machine")
