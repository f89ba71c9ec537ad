"""A Secret that SOPS has encrypted is part of the release: applied, brought back byte for byte, and on no record."""

import asyncio
import json
import logging
from base64 import b64encode
from pathlib import Path

import pytest

from reconciler.kernel.resources import CONFIGMAPS, EVENTS, RELEASES, SECRETS
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Verdict
from reconciler.sources.settings import Allow, SopsSettings
from tests.kit.desk import KINDS, desk, rollout
from tests.kit.repositories import git
from tests.kit.sops import keyring

GOOD, BAD = "hunter2-hunter2", "correct-horse-battery"
SPELLINGS = [spelling for value in (GOOD, BAD) for spelling in (value, b64encode(value.encode()).decode())]
READS = "          envFrom: [{secretRef: {name: s}}]\n"


def kept_in(folder: Path) -> bytes:
    """Everything that lies in a folder but for the keys and the plain files that the test encrypts."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and "keys" not in path.parts)


async def test_a_bad_secret_comes_back_whole_and_nobody_was_shown_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = keyring("toy", tmp_path / "keys")
    good, bad = (
        keys.sealed("s.yaml", f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: shop}}\nstringData: {{password: {value}}}\n")
        for value in (GOOD, BAD)
    )
    sops, allow = SopsSettings(program=keys.program, age_key_file=str(keys.key)), Allow(namespaces=("shop",), kinds=(*KINDS, "Secret"))
    async with desk(tmp_path, sops=sops, allow=allow) as shop:
        shop.push({"web.yaml": rollout(extra=READS), "s.yaml": good}, "good")
        await shop.proven()
        assert SPELLINGS[1] in json.dumps(await shop.live(SECRETS, "s"))
        shop.push({"s.yaml": bad}, "bad")
        await shop.look()
        assert SPELLINGS[3] in json.dumps(await shop.live(SECRETS, "s"))
        await shop.lost()
        assert parse_release((await shop.releases())[-1]).status.verdict is Verdict.FAILED
        assert shop.origin.read("s.yaml").decode() == good and len(shop.origin.log("%s")) == 3
        kept = [await shop.api.client.list(resource, "") for resource in (RELEASES, CONFIGMAPS, EVENTS)]
        told = json.dumps(kept, default=str) + caplog.text + capsys.readouterr().out + git(shop.origin.path, "log", "-p", "main").decode()
        told += (await asyncio.to_thread(kept_in, tmp_path)).decode(errors="replace")
        assert "Secret" in told and "release ended" in told
        assert not [spelling for spelling in SPELLINGS if spelling in told]
