"""A real kubectl against a server: its output, and whether it succeeded."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 30.0


def binary() -> str:
    """The kubectl of this environment, else of this machine; empty if there is none."""
    beside = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    return beside or shutil.which("kubectl") or ""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Runs commands with their own home, so that nothing of this machine's configuration is seen."""

    home: Path

    async def __call__(self, command: str, stdin: Mapping[str, Any] | None = None) -> str:
        """The output of a command that succeeds."""
        code, text = await self.run(command, stdin)
        assert code == 0, f"kubectl {command}: {text}"
        return text

    async def refused(self, command: str, stdin: Mapping[str, Any] | None = None) -> str:
        """The output of a command that does not succeed."""
        code, text = await self.run(command, stdin)
        assert code != 0, f"kubectl {command}: {text}"
        return text

    async def run(self, command: str, stdin: Mapping[str, Any] | None = None) -> tuple[int, str]:
        """Exit code, and output with errors; arguments are separated by blanks."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "KUBECONFIG": str(self.home / "config")}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            binary(), *command.split(), stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env=environment
        )
        async with asyncio.timeout(PATIENCE):
            output, _ = await process.communicate(json.dumps(stdin).encode() if stdin else None)
        return process.returncode or 0, output.decode().strip()
