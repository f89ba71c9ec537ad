"""Files that SOPS has encrypted, known by what it leaves in them: refused where the source has no keys for them. Pure."""

import re
from collections.abc import Iterable, Mapping

from reconciler.git.objects import Hides, SourceProblem

TOOL, MARK = "SOPS", "ENC[AES256_GCM,data:"
VALUE = MARK.encode()
METADATA = re.compile(rb"^sops_mac=|^\[sops\]|^[\t ]*[\"']?sops[\"']?[\t ]*:", re.MULTILINE)
"""How SOPS writes about itself in YAML, JSON, files of variables and INI files."""
WORDS = "is encrypted with SOPS and was not decrypted: its texts would be taken for the values"
REMEDY = "name the private key under the source's `sops:`; or let an operator in the cluster decrypt it, and name the file under `exclude`"


def encrypted(content: bytes) -> bool:
    """True for a file that SOPS has encrypted, whole or in part."""
    return VALUE in content and METADATA.search(content) is not None


def line_of(content: bytes) -> int:
    """The line of the first encrypted value, from 1; 0 where there is none."""
    place = content.find(VALUE)
    return content.count(b"\n", 0, place) + 1 if place >= 0 else 0


def refusal_of(name: str, content: bytes, hides: Hides = Hides.ANYTHING) -> SourceProblem | None:
    """What to say of an encrypted file; None for any other."""
    if not encrypted(content):
        return None
    return SourceProblem(name, line_of(content), WORDS, REMEDY, hides, tool=TOOL)


def refusals(files: Mapping[str, bytes], names: Iterable[str]) -> tuple[SourceProblem, ...]:
    """The same for files from which others are made: then nothing can be made of them."""
    found = (refusal_of(name, files[name]) for name in names if name in files)
    return tuple(problem for problem in found if problem is not None)
