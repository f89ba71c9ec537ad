"""Regular expressions in RE2's syntax, matched in linear time: a hostile pattern may cost steps, never minutes.

Python's own engine backtracks, so a pattern such as `(a+)+$` could stop the daemon. Here a pattern becomes a list of instructions and all
of its threads walk the text together (Thompson, Pike); size, repeats and steps are bounded. Reader: `pattern_syntax`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from reconciler.expr.pattern_syntax import Alternatives, Assertion, InvalidPattern, Letters, Node, Repeat, Sequence, read

INSTRUCTIONS = 10_000
STEPS = 2_000_000

__all__ = ["InvalidPattern", "Pattern", "compile_pattern"]


@dataclass(frozen=True, slots=True)
class Take:
    """Consume one of these letters."""

    letters: Letters


@dataclass(frozen=True, slots=True)
class Fork:
    """Go on at every target."""

    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Go on only where the assertion holds."""

    kind: str


@dataclass(frozen=True, slots=True)
class Accept:
    """The pattern has matched."""


Instruction = Take | Fork | Check | Accept


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern."""

    program: tuple[Instruction, ...]

    def search(self, text: str, spend: Callable[[int], None] | None = None) -> bool:
        """True when it matches anywhere. `spend` is told the steps and may raise; without it InvalidPattern bounds them."""
        pay = spend or _budget()
        threads: set[int] = set()
        for index in range(len(text) + 1):
            pay(1 + len(threads))
            threads = self._closure(threads | {0}, text, index, pay)
            if any(isinstance(self.program[thread], Accept) for thread in threads):
                return True
            if index < len(text):
                threads = {thread + 1 for thread in threads if self._takes(thread, text[index])}
        return False

    def _takes(self, thread: int, letter: str) -> bool:
        instruction = self.program[thread]
        return isinstance(instruction, Take) and instruction.letters.contain(letter)

    def _closure(self, threads: set[int], text: str, index: int, pay: Callable[[int], None]) -> set[int]:
        """All instructions reachable without consuming a letter."""
        reached, waiting = set(threads), list(threads)
        while waiting:
            for target in self._targets(waiting.pop(), text, index):
                if target not in reached:
                    reached.add(target)
                    waiting.append(target)
        pay(len(reached))
        return reached

    def _targets(self, thread: int, text: str, index: int) -> tuple[int, ...]:
        match self.program[thread]:
            case Fork(targets):
                return targets
            case Check(kind):
                return (thread + 1,) if _holds(kind, text, index) else ()
            case _:
                return ()


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Pattern:
    """The pattern ready to search. Raises InvalidPattern for what RE2 refuses, and for what is too large."""
    program: list[Instruction] = []
    _emit(read(pattern), program)
    program.append(Accept())
    return Pattern(tuple(program))


def _budget() -> Callable[[int], None]:
    left = STEPS

    def pay(steps: int) -> None:
        nonlocal left
        left -= steps
        if left < 0:
            raise InvalidPattern("the pattern takes too many steps on this text")

    return pay


def _emit(node: Node, program: list[Instruction]) -> None:
    if len(program) > INSTRUCTIONS:
        raise InvalidPattern("expression too large")
    match node:
        case Letters():
            program.append(Take(node))
        case Assertion(kind):
            program.append(Check(kind))
        case Sequence(parts):
            for part in parts:
                _emit(part, program)
        case Alternatives(parts):
            _emit_alternatives(parts, program)
        case Repeat():
            _emit_repeat(node, program)


def _emit_alternatives(parts: tuple[Node, ...], program: list[Instruction]) -> None:
    fork = _reserve(program)
    starts, exits = [], []
    for part in parts:
        starts.append(len(program))
        _emit(part, program)
        exits.append(_reserve(program))
    program[fork] = Fork(tuple(starts))
    for place in exits:
        program[place] = Fork((len(program),))


def _emit_repeat(node: Repeat, program: list[Instruction]) -> None:
    for _ in range(node.least):
        before = len(program)
        _emit(node.part, program)
        if len(program) == before:
            break  # nothing, however often
    if node.most is None:
        fork = _reserve(program)
        _emit(node.part, program)
        program.append(Fork((fork,)))
        program[fork] = Fork((fork + 1, len(program)))
        return
    forks = []
    for _ in range(node.most - node.least):
        forks.append(_reserve(program))
        _emit(node.part, program)
    for fork in forks:
        program[fork] = Fork((fork + 1, len(program)))


def _reserve(program: list[Instruction]) -> int:
    """A place whose targets are known later."""
    program.append(Fork(()))
    return len(program) - 1


def _holds(kind: str, text: str, index: int) -> bool:
    if kind in ("b", "B"):
        before = index > 0 and _word(text[index - 1])
        after = index < len(text) and _word(text[index])
        return (before != after) is (kind == "b")
    if kind == "line start":
        return index == 0 or text[index - 1] == "\n"
    if kind == "line end":
        return index == len(text) or text[index] == "\n"
    return index == (0 if kind == "start" else len(text))


def _word(letter: str) -> bool:
    return letter == "_" or (letter.isascii() and letter.isalnum())
