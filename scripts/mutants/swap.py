"""A mutant put in the place of a function that is already loaded: its code is exchanged, nothing is imported again."""

import gc
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType

from scripts.mutants.mutations import Mutant

MAKES_LOCALS = 0x2  # inspect.CO_NEWLOCALS: functions, not modules and classes


def living(below: str) -> tuple[FunctionType, ...]:
    """The functions of files below a path that are loaded, wrapped ones and methods too."""
    return tuple(found for found in gc.get_objects() if isinstance(found, FunctionType) and found.__code__.co_filename.startswith(below))


def swapped(functions: Iterable[FunctionType], path: str, mutant: Mutant) -> bool:
    """Exchange the code of the function that the mutant stands in; False when none of these functions runs it."""
    wanted = [code for code in _functions(compile(mutant.text, path, "exec")) if _stands_at(code) == mutant.within]
    bearers = [each for each in functions if each.__code__.co_filename == path and _stands_at(each.__code__) == mutant.within]
    if not wanted or not bearers or any(bearer.__code__.co_freevars != wanted[0].co_freevars for bearer in bearers):
        return False
    for bearer in bearers:
        bearer.__code__ = wanted[0]
    return True


def _stands_at(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _functions(code: CodeType) -> Iterator[CodeType]:
    """The functions of a module and of its classes, not those inside of functions: they travel with the outer one."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & MAKES_LOCALS:
                yield constant
            else:
                yield from _functions(constant)
