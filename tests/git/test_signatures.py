"""Signatures: ours on what we write, a person's trust on what we read. With the real ssh-keygen and gpg."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.git.commit import Draft, Message, build
from reconciler.git.errors import Unverified
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Committer, TrustedKeys
from reconciler.kernel.errors import Transient
from tests.kit.repositories import Origin, git
from tests.kit.signing import OpenPgp, allowed_signers, needs_gpg, needs_ssh_keygen, open_pgp, sign_tip, ssh_key

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOT = Committer("bot", "bot@example.com")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return ssh_key(tmp_path)


@pytest.fixture
def ann(tmp_path: Path) -> Iterator[OpenPgp]:
    with open_pgp(tmp_path / "ann") as found:
        yield found


async def draft(mirror: Mirror, author: Committer, message: Message | None = None) -> Draft:
    head = (await mirror.fetch("main")).new
    said = message or Message("Restore web to 1.0", "It failed.", {"Release-Id": "web-1"})
    return Draft(parent=head, files={"env/web.yaml": b"image: web:0\n"}, message=said, author=author, time=AT)


def shown(tmp_path: Path, oid: str, form: str) -> str:
    return git(tmp_path / "mirror.git", "show", "-s", f"--format={form}", oid).decode().strip()


@needs_ssh_keygen
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
async def test_a_signed_commit_differs_from_the_same_one_in_its_signature_alone(kind: str, mirror: Mirror, tmp_path: Path) -> None:
    key = ssh_key(tmp_path, kind, kind)
    plain = await draft(mirror, BOT)
    unsigned = await build(mirror.runner, plain)
    oid = await build(mirror.runner, replace(plain, author=replace(BOT, signing_key_file=str(key))))
    form = "%T %P %an <%ae> %at %cn <%ce> %ct%n%B"
    assert oid != unsigned and shown(tmp_path, oid, form) == shown(tmp_path, unsigned, form)
    assert b"BEGIN SSH SIGNATURE" in git(tmp_path / "mirror.git", "cat-file", "commit", oid)
    await mirror.verify(oid, TrustedKeys(str(allowed_signers(tmp_path, key))))


@needs_ssh_keygen
async def test_the_same_draft_is_the_same_signed_commit(key: Path, mirror: Mirror) -> None:
    wanted = await draft(mirror, replace(BOT, signing_key_file=str(key)))
    assert await build(mirror.runner, wanted) == await build(mirror.runner, wanted)


@needs_ssh_keygen
async def test_a_signed_commit_comes_after_all_its_parents(key: Path, origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    first = (await mirror.fetch("main")).new
    origin.commit({"README.md": "later"})
    wanted = replace(await draft(mirror, replace(BOT, signing_key_file=str(key))), after=(first,))
    assert shown(tmp_path, await build(mirror.runner, wanted), "%P") == f"{wanted.parent} {first}"


@needs_ssh_keygen
async def test_without_its_key_nothing_is_committed(key: Path, mirror: Mirror, tmp_path: Path) -> None:
    for path, words in (
        (ssh_key(tmp_path, "locked", passphrase="secret words"), "passphrase"),
        (tmp_path / "gone", "cannot be read"),
        (key.with_suffix(".pub"), "holds no private key"),
    ):
        if path.exists():
            path.chmod(0o600)
        wanted = await draft(mirror, replace(BOT, signing_key_file=str(path)))
        with pytest.raises(Transient, match=words) as refused:
            await build(mirror.runner, wanted)
        assert str(path) in str(refused.value) and "secret words" not in str(refused.value)


async def test_a_commit_carries_what_the_committer_asks_for(mirror: Mirror, tmp_path: Path) -> None:
    wanted = await draft(mirror, replace(BOT, sign_off=True, skip_pipelines=True))
    oid = await build(mirror.runner, wanted)
    assert shown(tmp_path, oid, "%(trailers:only)").splitlines() == ["Release-Id: web-1", "Signed-off-by: bot <bot@example.com>"]
    assert shown(tmp_path, oid, "%B").splitlines()[4] == "[skip ci]"


async def test_words_of_strangers_skip_no_pipeline_and_sign_nothing_off(mirror: Mirror, tmp_path: Path) -> None:
    said = Message("[skip ci] Restore", "Signed-off-by: Eve <eve@example.com>\n[ci skip]", {"Id": "1\nSigned-off-by: Eve"})
    wanted = await draft(mirror, BOT, said)
    oid = await build(mirror.runner, wanted)
    assert "[skip ci]" not in shown(tmp_path, oid, "%B") and "[ci skip]" not in shown(tmp_path, oid, "%B")
    assert shown(tmp_path, oid, "%(trailers:only,key=Signed-off-by)") == ""


async def test_any_commit_is_taken_where_nobody_is_named(mirror: Mirror) -> None:
    await mirror.verify((await mirror.fetch("main")).new, TrustedKeys())


@needs_ssh_keygen
async def test_only_a_trusted_ssh_key_counts(key: Path, origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    trusted = TrustedKeys(str(allowed_signers(tmp_path, key)))
    with pytest.raises(Unverified, match="is not signed; the keys of"):
        await mirror.verify((await mirror.fetch("main")).new, trusted)
    sign_tip(origin, ssh_key(tmp_path, "stranger"))
    with pytest.raises(Unverified, match=r"is not signed by a key of .*allowed_signers"):
        await mirror.verify((await mirror.fetch("main")).new, trusted)
    sign_tip(origin, key)
    await mirror.verify((await mirror.fetch("main")).new, trusted)


@needs_ssh_keygen
@pytest.mark.parametrize("options", ['valid-before="20200101" ', 'namespaces="file" '])
async def test_a_key_that_is_not_trusted_for_this_does_not_count(
    options: str, key: Path, origin: Origin, mirror: Mirror, tmp_path: Path
) -> None:
    sign_tip(origin, key)
    with pytest.raises(Unverified):
        await mirror.verify((await mirror.fetch("main")).new, TrustedKeys(str(allowed_signers(tmp_path, key, options=options))))


@needs_ssh_keygen
async def test_a_commit_changed_after_it_was_signed_does_not_count(key: Path, origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    raw = git(origin.path, "cat-file", "commit", sign_tip(origin, key))
    forged = git(origin.path, "hash-object", "-t", "commit", "-w", "--stdin", stdin=raw.replace(b"first", b"other")).decode().strip()
    origin.force(forged)
    with pytest.raises(Unverified):
        await mirror.verify((await mirror.fetch("main")).new, TrustedKeys(str(allowed_signers(tmp_path, key))))


@needs_ssh_keygen
async def test_a_file_of_signers_that_is_away_is_no_trust_and_no_end(key: Path, origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    sign_tip(origin, key)
    with pytest.raises(Transient, match=r"allowed signers .*gone cannot be read: it does not exist"):
        await mirror.verify((await mirror.fetch("main")).new, TrustedKeys(str(tmp_path / "gone")))


@needs_gpg
@pytest.mark.parametrize("armoured", [True, False])
async def test_a_trusted_openpgp_key_counts(armoured: bool, ann: OpenPgp, origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(ann.exported(armoured=armoured))
    ann.sign_tip(origin)
    await mirror.verify((await mirror.fetch("main")).new, TrustedKeys(keyring_file=str(tmp_path / "keys")))


@needs_gpg
async def test_several_blocks_of_keys_are_all_trusted(ann: OpenPgp, origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    with open_pgp(tmp_path / "bob") as bob:
        (tmp_path / "keys").write_bytes(b"# of Bob\n" + bob.exported() + b"\n# of Ann\n" + ann.exported().replace(b"\n", b"\r\n"))
        for person in (bob, ann):
            person.sign_tip(origin)
            await mirror.verify((await mirror.fetch("main")).new, TrustedKeys(keyring_file=str(tmp_path / "keys")))


@needs_gpg
async def test_an_unknown_or_taken_away_openpgp_key_does_not_count(ann: OpenPgp, origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_bytes(ann.exported())
    ann.sign_tip(origin)
    head = (await mirror.fetch("main")).new
    await mirror.verify(head, TrustedKeys(keyring_file=str(keys)))
    with open_pgp(tmp_path / "bob") as bob:
        keys.write_bytes(bob.exported())
    with pytest.raises(Unverified, match="is not signed by a key of"):
        await mirror.verify(head, TrustedKeys(keyring_file=str(keys)))


@needs_gpg
@needs_ssh_keygen
async def test_keys_of_one_kind_trust_no_signature_of_the_other(
    ann: OpenPgp, key: Path, origin: Origin, mirror: Mirror, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_bytes(ann.exported())
    by_ssh, by_gpg = TrustedKeys(str(allowed_signers(tmp_path, key))), TrustedKeys(keyring_file=str(tmp_path / "keys"))
    both = TrustedKeys(by_ssh.allowed_signers_file, by_gpg.keyring_file)
    ann.sign_tip(origin)
    head = (await mirror.fetch("main")).new
    await mirror.verify(head, both)
    with pytest.raises(Unverified):
        await mirror.verify(head, by_ssh)
    sign_tip(origin, key)
    head = (await mirror.fetch("main")).new
    await mirror.verify(head, both)
    with pytest.raises(Unverified):
        await mirror.verify(head, by_gpg)


@needs_gpg
async def test_a_key_that_has_expired_does_not_count(origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    with open_pgp(tmp_path / "ann", of="20200101T000000", expires="1d") as ann:
        ann.sign_tip(origin)
        (tmp_path / "keys").write_bytes(ann.exported())
    with pytest.raises(Unverified, match="xpired"):
        await mirror.verify((await mirror.fetch("main")).new, TrustedKeys(keyring_file=str(tmp_path / "keys")))


@needs_gpg
@needs_ssh_keygen
async def test_keys_that_happen_to_lie_in_our_home_are_trusted_by_nobody(
    ann: OpenPgp, key: Path, origin: Origin, mirror: Mirror, tmp_path: Path
) -> None:
    ann.sign_tip(origin)
    head = (await mirror.fetch("main")).new
    for name in ("pubring.kbx", "trustdb.gpg"):
        (tmp_path / "home" / name).write_bytes((ann.home / name).read_bytes())
    with pytest.raises(Unverified):
        await mirror.verify(head, TrustedKeys(str(allowed_signers(tmp_path, key))))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no public key"),
        (b"hello", "holds no public key"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!!\n-----END PGP PUBLIC KEY BLOCK-----\n", "is damaged"),
        (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n", "holds no public key"),
    ],
)
async def test_a_file_without_keys_is_said(content: bytes, words: str, mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(Transient, match=f"OpenPGP keys .*keys {words}"):
        await mirror.verify((await mirror.fetch("main")).new, TrustedKeys(keyring_file=str(tmp_path / "keys")))
