"""Why the machine refuses a file, a folder or a port, in words: no number, no path twice. What to do is the caller's to say."""

import errno
from collections.abc import Mapping

REASONS: Mapping[int, str] = {
    errno.ENOENT: "it does not exist",
    errno.EACCES: "this user may not",
    errno.EPERM: "this user may not",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "it is no folder, or a part of its path is none",
    errno.ELOOP: "its links lead in a circle",
    errno.ENOSPC: "no space is left",
    errno.EROFS: "its file system is read-only",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EADDRINUSE: "another program listens there",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}
"""By number, because the same refusal has other words on other systems and in other languages."""


def reason_of(error: OSError | UnicodeDecodeError) -> str:
    """What is in the way, as the second half of a sentence about what was to be used."""
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8"
    known = REASONS.get(error.errno or 0)
    return known or error.strerror or str(error) or type(error).__name__
