"""The admin socket: absent is not ready, and an answer that does not come is EnvoyFailed."""

from pathlib import Path

import pytest
from reconciler_sandbox.mesh.admin import Admin
from reconciler_sandbox.mesh.errors import EnvoyFailed


async def test_without_a_socket_envoy_is_not_ready(tmp_path: Path) -> None:
    admin = Admin(tmp_path / "admin")
    assert not await admin.ready()
    with pytest.raises(EnvoyFailed, match="does not answer"):
        await admin.versions()
    await admin.close()
