"""SOPS: what the `sops` program makes of an encrypted file, kept in memory, and every way in which it may fail as one clear problem.

The program runs as a renderer does (`child`), without network: keys of age and OpenPGP, no key service of a cloud. Keys are named by
file and read by the programs themselves. What the program complains about is never shown, because it may quote what it has decrypted: its
exit status says what happened.
"""

import hashlib
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from reconciler.git.objects import Hides, SourceProblem
from reconciler.kernel.unusable import reason_of
from reconciler.renderers.child import ChildCall, ChildFailed, output_of, program
from reconciler.sources.encryption import TOOL, line_of
from reconciler.sources.settings import SopsSettings

REMEMBERED = 512
SECONDS = 30.0
NO_KEY, WRONG_MAC, NO_MAC, BAD_MAC, BAD_TREE = 128, 51, 52, 24, 25
"""What sops ends with (cmd/sops/codes of getsops/sops v3)."""
NO_IMPORT = 90
"""What our script ends with where gpg does not take the key."""
WITH_PGP = """umask 077
mkdir "$GNUPGHOME" || exit 1
"$1" --batch --quiet --import "$3" >/dev/null 2>&1 || exit 90
"$4" --decrypt "$5"
status=$?
"$2" --kill all >/dev/null 2>&1
exit $status
"""
TAMPERED = ("was changed after it was encrypted: its MAC does not match", "take the change back, or edit it with `sops`")
WORDS = {
    NO_KEY: ("no key of `sops:` opens it", "name the right key in the source's `sops:`, or add that key with `sops updatekeys`"),
    WRONG_MAC: TAMPERED,
    BAD_MAC: TAMPERED,
    BAD_TREE: ("holds a value that its key does not open: it was changed after it was encrypted", TAMPERED[1]),
    NO_MAC: ("has no MAC, so nobody can say that it is whole", "encrypt it anew with `sops`"),
    NO_IMPORT: (
        "gpg does not take the key of `sops.pgpKeyFile`",
        "write `gpg --armor --export-secret-keys KEY` into it, without passphrase",
    ),
}
FROM_THE_FILE = frozenset({WRONG_MAC, BAD_MAC, BAD_TREE, NO_MAC})
"""What is wrong with the file itself, and not with keys or programs here."""


class Undecryptable(Exception):
    """A file stays encrypted: why, and what to do; neither holds a word of the program. `here` is true of a fault of this machine."""

    def __init__(self, why: str, remedy: str, *, here: bool) -> None:
        super().__init__(why)
        self.why, self.remedy, self.here = why, remedy, here


@dataclass(frozen=True, slots=True)
class _KeyFiles:
    """The key files, as the programs find them."""

    age: str
    pgp: str


class Sops:
    """Decrypts files with the keys of one source; the same bytes once."""

    def __init__(self, settings: SopsSettings, seconds: float) -> None:
        """`seconds` is how long one file may take."""
        self._settings = settings
        self._seconds = seconds
        self._known: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    async def decrypted(self, name: str, content: bytes) -> bytes:
        """What a file holds. Raises Undecryptable."""
        place = Path(name).name
        key = (place, hashlib.sha256(content).hexdigest())
        if key not in self._known:
            self._known[key] = await self._output(place, content)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    async def _output(self, place: str, content: bytes) -> bytes:
        try:
            return await output_of(self._call(place, content))
        except ChildFailed as failed:
            raise _refusal(failed) from None  # The cause would carry the program's words into a trace.

    def _call(self, place: str, content: bytes) -> ChildCall:
        """Raises ChildFailed for a program, Undecryptable for a key that is not there."""
        keys = _KeyFiles(_key(self._settings.age_key_file), _key(self._settings.pgp_key_file))
        sops, file = program(self._settings.program), f"./{place}"
        environment = {"SOPS_AGE_KEY_FILE": keys.age} if keys.age else {}
        if not keys.pgp:
            return ChildCall((sops, "--decrypt", file), {place: content}, self._seconds, environment, "sops")
        gpg, agent = program("gpg"), program("gpgconf")
        folders = os.pathsep.join(dict.fromkeys((str(Path(gpg).parent), "/usr/bin", "/bin")))
        environment |= {"SOPS_GPG_EXEC": gpg, "GNUPGHOME": "../gnupg", "PATH": folders}
        words = ("/bin/sh", "-c", f'GNUPGHOME="$HOME/gnupg"\n{WITH_PGP}', "sh", gpg, agent, keys.pgp, sops, file)
        return ChildCall(words, {place: content}, self._seconds, environment, "sops")


def problem_of(name: str, content: bytes, why: Undecryptable, hides: Hides) -> SourceProblem:
    """What to say of a file that stays encrypted."""
    words = f"is encrypted with SOPS and cannot be decrypted: {why.why}"
    return SourceProblem(name, line_of(content), words, why.remedy, hides, tool=TOOL if why.here else "")


def _key(path: str) -> str:
    """A key file, absolute because the program runs elsewhere. Raises Undecryptable while it cannot be read."""
    if not path:
        return ""
    place = Path(path).absolute()
    try:
        with place.open("rb") as file:
            found = file.read(1)
    except OSError as error:
        raise Undecryptable(f"the key file {path} cannot be read: {reason_of(error)}", "check that it is mounted", here=True) from error
    if not found:
        raise Undecryptable(f"the key file {path} is empty", "write the private key into it", here=True)
    return str(place)


def _refusal(failed: ChildFailed) -> Undecryptable:
    if failed.status in WORDS:
        why, remedy = WORDS[failed.status]
        return Undecryptable(why, remedy, here=failed.status not in FROM_THE_FILE)
    if failed.status:
        why = f"sops ended with status {failed.status}; its words are not shown, because they may hold what it decrypted"
        return Undecryptable(why, "`sops --decrypt FILE` says why", here=True)
    return Undecryptable(str(failed), "install sops (3.7 or newer), or name it in the source's `sops: {program: …}`", here=True)
