"""What was rendered is remembered by the bytes that it was made from: an unrelated commit renders nothing."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.sources.documents import Parsed

REMEMBERED = 32
Fingerprint = str


def fingerprint(files: Mapping[str, bytes], words: Iterable[str] = ()) -> Fingerprint:
    """The same for the same files and words only."""
    digest = hashlib.sha256()
    for name, content in (*((word, b"") for word in words), *sorted(files.items())):
        digest.update(f"{len(name)} {len(content)} {name}".encode(errors="surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


class RenderMemory:
    """The last few results of one renderer."""

    def __init__(self) -> None:
        self._known: OrderedDict[Fingerprint, Parsed] = OrderedDict()

    def recall(self, key: Fingerprint, commit: str) -> Parsed | None:
        """What the same bytes gave before, as the result of this commit."""
        known = self._known.get(key)
        if known is None:
            return None
        self._known.move_to_end(key)
        return replace(known, commit=commit)

    def keep(self, key: Fingerprint, parsed: Parsed) -> Parsed:
        self._known[key] = parsed
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return parsed
