"""What the daemon counts on of `sops`: the toy of the tests and the real program decrypt and refuse alike."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.renderers.sops import SECONDS, Sops, Undecryptable
from reconciler.sources.encryption import encrypted
from reconciler.sources.settings import SopsSettings
from tests.kit.sops import KINDS, Keyring, keyring

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {password: hunter2-hunter2}\n"
MORE = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\nx: 1\n"


@pytest.fixture(params=KINDS)
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Keyring:
    return keyring(str(request.param), tmp_path / "mine")


def sops(keys: Keyring, key: str = "") -> Sops:
    return Sops(SopsSettings(program=keys.program, age_key_file=key or str(keys.key)), SECONDS)


@pytest.mark.parametrize("name, text", [("s.yaml", SECRET + MORE), ("s.env", "A=hunter2-hunter2\nB=two\n")])
async def test_what_was_encrypted_comes_back(keys: Keyring, name: str, text: str) -> None:
    sealed = keys.sealed(name, text, "" if name.endswith("env") else "^(data|stringData)$")
    assert encrypted(sealed.encode()) and "hunter2" not in sealed
    plain = (await sops(keys).decrypted(f"deep/{name}", sealed.encode())).decode()
    assert "hunter2-hunter2" in plain and "sops" not in plain and plain.count("---") == text.count("---")


async def test_what_cannot_be_decrypted_says_why_and_nothing_else(keys: Keyring, tmp_path: Path) -> None:
    sealed = keys.sealed("s.yaml", SECRET + MORE)
    other = keyring("toy", tmp_path / "theirs").key
    cases = [
        (sealed, str(tmp_path / "none"), "cannot be read", True),
        (sealed, str(other), "no key of `sops:` opens it", True),
        (sealed.replace("x: 1", "x: 2"), "", "its MAC does not match", False),
        (re.sub(r"(hunter|password: ENC.AES256_GCM,data:)..", r"\1AA", sealed, count=1), "", "changed after it was encrypted", False),
    ]
    for content, key, words, here in cases:
        with pytest.raises(Undecryptable) as caught:
            await sops(keys, key).decrypted("s.yaml", content.encode())
        assert words in caught.value.why and caught.value.here is here, content
        assert ("hunter2" not in f"{caught.value.why}{caught.value.remedy}" and caught.value.__suppress_context__) or here


async def test_a_key_of_openpgp_is_taken_from_its_file_and_no_agent_stays(tmp_path: Path) -> None:
    keys, gpg = keyring("real", tmp_path / "mine"), shutil.which("gpg")
    if gpg is None:
        pytest.skip("there is no gpg")
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}

    def run(*words: str) -> str:
        return subprocess.run(words, check=True, capture_output=True, text=True, env=environment).stdout

    run(gpg, "--batch", "--passphrase", "", "--quick-generate-key", "shop@example.com", "rsa2048", "encrypt,sign", "never")
    print_ = next(line.split(":")[9] for line in run(gpg, "--with-colons", "--list-keys").splitlines() if line.startswith("fpr"))
    private = tmp_path / "private.asc"
    private.write_text(run(gpg, "--batch", "--armor", "--export-secret-keys", print_))
    (tmp_path / "s.yaml").write_text(SECRET)
    sealed = run(keys.program, "--encrypt", "--pgp", print_, str(tmp_path / "s.yaml"))
    run("gpgconf", "--kill", "all")
    plain = await Sops(SopsSettings(program=keys.program, pgp_key_file=str(private)), SECONDS).decrypted("s.yaml", sealed.encode())
    assert b"hunter2-hunter2" in plain
    private.write_text("no key\n")
    with pytest.raises(Undecryptable, match="gpg does not take the key"):
        await Sops(SopsSettings(program=keys.program, pgp_key_file=str(private)), SECONDS).decrypted("s.yaml", sealed.encode())


async def test_a_program_that_never_ends_is_ended(tmp_path: Path) -> None:
    endless, key = tmp_path / "endless", tmp_path / "key"
    endless.write_text("#!/bin/sh\nwhile :; do :; done\n")
    endless.chmod(0o755)
    key.write_text("AGE-SECRET-KEY-X\n")
    with pytest.raises(Undecryptable, match=r"sops took longer than 0\.2 s"):
        await Sops(SopsSettings(program=str(endless), age_key_file=str(key)), 0.2).decrypted("s.yaml", b"")
