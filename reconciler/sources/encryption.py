"""Files that SOPS has encrypted, known by what it leaves in them: refused, because their texts would be taken for values. Pure."""

import re
from collections.abc import Iterable, Mapping

from reconciler.git.objects import Hides, SourceProblem

VALUE = b"ENC[AES256_GCM,data:"
METADATA = re.compile(rb"^sops_mac=|^[\t ]*[\"']?sops[\"']?[\t ]*:", re.MULTILINE)
"""How SOPS writes about itself in YAML, JSON and files of variables."""
WORDS = "is encrypted with SOPS, and nothing is decrypted here: its texts would be taken for the values"
REMEDY = "let an operator in the cluster decrypt it, and name the file under `exclude`"


def encrypted(content: bytes) -> bool:
    """True for a file that SOPS has encrypted, whole or in part."""
    return VALUE in content and METADATA.search(content) is not None


def refusal_of(name: str, content: bytes, hides: Hides = Hides.ANYTHING) -> SourceProblem | None:
    """What to say of an encrypted file; None for any other."""
    if not encrypted(content):
        return None
    line = content.count(b"\n", 0, content.index(VALUE)) + 1
    return SourceProblem(name, line, WORDS, REMEDY, hides, tool="SOPS")


def refusals(files: Mapping[str, bytes], names: Iterable[str]) -> tuple[SourceProblem, ...]:
    """The same for files from which others are made: then nothing can be made of them."""
    found = (refusal_of(name, files[name]) for name in names if name in files)
    return tuple(problem for problem in found if problem is not None)
