"""Where the daemon keeps what it decided, for `reconciler replay`."""

from dataclasses import dataclass

from reconciler.kernel.strict import StrictFields

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """A file, and how many bytes it and the file beside it may have together."""

    file: str
    size: int


def journal_settings(fields: StrictFields) -> JournalSettings:
    """The setting `journal`. Raises FieldError."""
    found = JournalSettings(fields.text("file"), fields.whole("megabytes", 64, least=1) * MEGABYTE)
    fields.done()
    return found
