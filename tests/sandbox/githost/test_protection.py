"""The hook of protected branches, spoken to without git; with git see test_host."""

import io
import json
import subprocess
from pathlib import Path

from reconciler_sandbox.githost.protection import install, packet, packets, report, verdict

RULES = {"refs/heads/main": {"allow": ["bot"], "ruleset": False}, "refs/heads/live": {"allow": [], "ruleset": True}}
ZERO = "0" * 40


def command(ref: str) -> bytes:
    return f"{ZERO} {ZERO} {ref}".encode()


def test_only_a_protected_ref_is_refused_and_only_to_strangers() -> None:
    assert verdict("refs/heads/side", "ann", RULES) == ("", "")
    assert verdict("refs/heads/main", "bot", RULES) == ("", "")
    assert verdict("refs/heads/main", "ann", RULES)[0] == "protected branch hook declined"
    assert "GH013" in verdict("refs/heads/live", "bot", RULES)[1]


def test_packets_end_at_a_flush_or_at_the_end() -> None:
    assert list(packets(io.BytesIO(packet(b"a") + packet(b"bc") + b"0000" + packet(b"d")))) == [b"a", b"bc"]
    assert list(packets(io.BytesIO(b""))) == []


def test_a_report_lets_one_ref_through_and_refuses_another() -> None:
    answer, shown = report([command("refs/heads/side"), command("refs/heads/main")], "ann", RULES)
    assert list(packets(io.BytesIO(answer))) == [
        b"ok refs/heads/side",
        b"option fall-through",
        b"ng refs/heads/main protected branch hook declined",
    ]
    assert "GH006" in shown


def test_the_installed_hook_speaks_the_protocol(tmp_path: Path) -> None:
    assert install(tmp_path, RULES) == ["refs/heads/live", "refs/heads/main"]
    assert json.loads((tmp_path / "protection.json").read_text()) == RULES
    spoken = packet(b"version=1\0push-options atomic") + b"0000" + packet(command("refs/heads/main")) + b"0000" + b"0000"
    hook = tmp_path / "hooks" / "proc-receive"
    ran = subprocess.run([hook], cwd=tmp_path, input=spoken, capture_output=True, env={"REMOTE_USER": "ann"}, timeout=20, check=True)
    assert (
        ran.stdout == packet(b"version=1\0push-options") + b"0000" + packet(b"ng refs/heads/main protected branch hook declined") + b"0000"
    )
    assert ran.stderr.startswith(b"error: GH006: Protected branch update failed for refs/heads/main.")
