"""A real helm: $RECONCILER_REAL_HELM, else the one that `make real` obtained."""

import pytest

from scripts.real.binaries import helm
from scripts.real.errors import NotObtained


def real_helm() -> str:
    """The path of a helm. Skips the test when there is none."""
    try:
        return str(helm())
    except NotObtained as reason:
        pytest.skip(f"there is no helm: {reason}")
