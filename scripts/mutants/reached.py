"""Which functions of the project are called inside a block, told by what the interpreter calls."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType

Function = tuple[str, str]  # the file and the qualified name of a function of a module or of a method


@contextmanager
def recorded(below: str) -> Iterator[set[Function]]:
    """The functions of files below a path, filled when the block ends; those of threads that start inside count."""
    called: set[CodeType] = set()
    reached: set[Function] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield reached
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        reached.update((code.co_filename, code.co_qualname.split(".<locals>")[0]) for code in called if code.co_filename.startswith(below))
