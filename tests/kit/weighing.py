"""How much memory an object holds, with everything that only can be reached through it or from it."""

import gc
import sys
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

# What belongs to the program and not to the object: classes, code, modules.
OUTSIDE = (type, ModuleType, FunctionType, BuiltinFunctionType, CodeType, FrameType)


def held_bytes(root: Any) -> int:
    """The bytes of all objects that can be reached from one."""
    seen, level, total = {id(root)}, [root], 0
    while level:
        total += sum(sys.getsizeof(one) for one in level)
        level = [one for one in _once(gc.get_referents(*level), seen) if not isinstance(one, OUTSIDE)]
    return total


def _once(found: list[Any], seen: set[int]) -> list[Any]:
    fresh = []
    for one in found:
        if id(one) not in seen:
            seen.add(id(one))
            fresh.append(one)
    return fresh
