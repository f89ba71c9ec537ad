"""The words of `sops:` in a source, strictly (docs/sources.md)."""

import re

from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.sources.settings import SopsSettings

PROGRAM = re.compile(r"[^\s-][^\n]*")


def sops_settings(fields: StrictFields) -> SopsSettings:
    """How encrypted files are decrypted. Raises FieldError naming the first wrong field."""
    program = fields.matching("program", PROGRAM, "a program's name or path") if fields.text("program", "") else "sops"
    age, pgp = fields.text("ageKeyFile", ""), fields.text("pgpKeyFile", "")
    fields.done()
    for name, value in (("ageKeyFile", age), ("pgpKeyFile", pgp)):
        if "PRIVATE KEY" in value or "AGE-SECRET-KEY" in value:
            raise FieldError(fields.path(name), "holds the key itself: put it into a file, and name the file")
    if not age and not pgp:
        raise FieldError(fields.path("ageKeyFile"), "or pgpKeyFile names the private key: write one of them, or both")
    return SopsSettings(program=program, age_key_file=age, pgp_key_file=pgp)
