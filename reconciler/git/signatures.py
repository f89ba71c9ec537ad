"""Signatures of commits: ours are made with an ssh key, those of others are checked against keys that a person keeps.

git does both, with `ssh-keygen` and `gpg`, which have to be on PATH; neither sees a key of the user's own, an agent or a key server.
"""

import asyncio
import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from reconciler.git.command import Finished, GitCall, Runner
from reconciler.git.credentials import readable, usable_key
from reconciler.git.errors import Failed, Unverified
from reconciler.git.objects import Oid, TrustedKeys
from reconciler.kernel.errors import Transient
from reconciler.kernel.text import shortened
from reconciler.kernel.unusable import reason_of

LARGEST_KEYS = 4_000_000
LONGEST_REASON = 300
ARMOUR = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
OPENPGP_PACKET = 0x80
"""The bit that the first byte of every packet has (RFC 9580, section 4.2)."""
# Whether a key may be used is said by its being in the file; nothing is fetched, no agent is started.
GPG_SETTINGS = "no-default-keyring\nkeyring {keyring}\ntrust-model always\nno-autostart\nno-auto-key-retrieve\nno-auto-key-import\n"
NO_PROGRAM = "false"
"""What is started in place of a program that has no keys to check against: it finds nothing good."""


async def signed(runner: Runner, tree: Oid, parents: Sequence[Oid], call: GitCall, key: str) -> Oid:
    """Writes a commit of a tree with a signature; `call` carries its message as input, and its people and dates as variables.

    The same commit gets the same name again with Ed25519 and RSA keys, whose signatures hold no chance. Raises Transient while the key
    cannot be used: a commit is never made without the signature that was asked for.
    """
    path = _signing_key(key)
    arguments = ("commit-tree", "-S", tree, *(word for parent in parents for word in ("-p", parent)))
    configuration = {"gpg.format": "ssh", "user.signingKey": str(path), "i18n.commitEncoding": "UTF-8"}
    finished = await runner.run(GitCall(arguments, call.stdin, configuration=configuration, variables=call.variables))
    if finished.status:
        reason = shortened(" / ".join(line.strip() for line in finished.stderr.splitlines() if line.strip()), LONGEST_REASON)
        raise Failed(f"a commit cannot be signed with {path}: {reason}; it needs ssh-keygen (OpenSSH 8.2) and a key without passphrase")
    return finished.stdout.decode().strip()


def _signing_key(key: str) -> Path:
    """The key, absolute because git runs elsewhere. Raises Transient for one that ssh-keygen would refuse or ask a passphrase for."""
    path = Path(key).absolute()
    usable_key(path)
    return path


async def verify(runner: Runner, oid: Oid, keys: TrustedKeys, home: Path) -> None:
    """Returns for a commit that a trusted key has signed. Raises Unverified for any other, Transient while the keys cannot be read."""
    finished = await runner.run(await asyncio.to_thread(_question, oid, keys, home))
    if finished.status:
        raise Unverified(f"commit {oid[:12]} {_why(finished, keys)}; nothing of it is applied or built on")


def _question(oid: Oid, keys: TrustedKeys, home: Path) -> GitCall:
    """Asks git with exactly the programs for which keys are named."""
    configuration = {"gpg.openpgp.program": NO_PROGRAM, "gpg.x509.program": NO_PROGRAM, "gpg.ssh.program": NO_PROGRAM}
    variables = {"GNUPGHOME": str(home)}
    if keys.allowed_signers_file:
        signers = Path(keys.allowed_signers_file).absolute()
        readable(signers, "file of allowed signers")
        configuration |= {"gpg.ssh.allowedSignersFile": str(signers), "gpg.ssh.program": "ssh-keygen"}
    if keys.keyring_file:
        configuration["gpg.openpgp.program"] = "gpg"
        variables["GNUPGHOME"] = str(_gnupg_home(Path(keys.keyring_file).absolute(), home))
    return GitCall(("verify-commit", oid), configuration=configuration, variables=variables)


def _why(finished: Finished, keys: TrustedKeys) -> str:
    """What git says, which may quote the signature, in words for people."""
    words = shortened(" / ".join(line.strip() for line in finished.stderr.splitlines() if line.strip()), LONGEST_REASON)
    files = " or ".join(path for path in (keys.allowed_signers_file, keys.keyring_file) if path)
    return f"is not signed by a key of {files} ({words})" if words else f"is not signed; the keys of {files} are asked for"


def _gnupg_home(keys: Path, home: Path) -> Path:
    """A home for gpg that knows these keys and no others; one for each content of the file, so that it may rotate."""
    packets = _packets(readable(keys, "file of OpenPGP keys", LARGEST_KEYS), keys)
    folder = home / f"gnupg-{hashlib.sha256(packets).hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "trusted.gpg").write_bytes(packets)
        (folder / "gpg.conf").write_text(GPG_SETTINGS.format(keyring=folder / "trusted.gpg"), encoding="utf-8")
    except OSError as error:
        raise Transient(f"{folder} cannot be written: {reason_of(error)}; it holds the keys by which commits are checked") from error
    return folder


def _packets(text: bytes, keys: Path) -> bytes:
    """The keys as gpg reads them from a keyring. Raises Transient for a file that holds none."""
    if text[:1] and text[0] & OPENPGP_PACKET:
        return text
    try:
        packets = b"".join(_dearmoured(block) for block in ARMOUR.findall(text))
    except binascii.Error as error:
        raise Transient(f"the file of OpenPGP keys {keys} is damaged: {error}; write `gpg --armor --export KEY` into it") from error
    if not packets:
        raise Transient(f"the file of OpenPGP keys {keys} holds no public key; write `gpg --armor --export KEY` into it")
    return packets


def _dearmoured(block: bytes) -> bytes:
    """The bytes of one armoured block: what stands after its headers and before its checksum (RFC 9580, section 6.2)."""
    lines = [line.strip() for line in block.splitlines()]
    body = lines[lines.index(b"") + 1 :] if b"" in lines else lines
    return base64.b64decode(b"".join(line for line in body if not line.startswith(b"=")), validate=True)
