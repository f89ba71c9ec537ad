"""The small commands of check scripts: echo, seq, sleep, test, true and false."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from reconciler_sandbox.node.shell import Command, Write
from reconciler_sandbox.node.syntax import Unsupported

NUMBERS: Mapping[str, Callable[[int, int], bool]] = {
    "-eq": lambda left, right: left == right,
    "-ne": lambda left, right: left != right,
    "-gt": lambda left, right: left > right,
    "-ge": lambda left, right: left >= right,
    "-lt": lambda left, right: left < right,
    "-le": lambda left, right: left <= right,
}


async def echo(arguments: Sequence[str], write: Write) -> int:
    """Print the words; `-n` leaves out the newline."""
    bare = bool(arguments) and arguments[0] == "-n"
    if arguments and arguments[0] == "-e":
        raise Unsupported("echo -e")
    write(" ".join(arguments[1:] if bare else arguments) + ("" if bare else "\n"))
    return 0


async def seq(arguments: Sequence[str], write: Write) -> int:
    """Print whole numbers: `seq last`, `seq first last`, `seq first step last`."""
    try:
        numbers = [int(argument) for argument in arguments]
    except ValueError as error:
        raise Unsupported(f"seq {' '.join(arguments)}") from error
    if not 1 <= len(numbers) <= 3 or (len(numbers) == 3 and numbers[1] == 0):
        raise Unsupported(f"seq {' '.join(arguments)}")
    first = numbers[0] if len(numbers) > 1 else 1
    step = numbers[1] if len(numbers) == 3 else 1
    write("".join(f"{number}\n" for number in range(first, numbers[-1] + (1 if step > 0 else -1), step)))
    return 0


async def sleep(arguments: Sequence[str], write: Write) -> int:
    """Wait; a number of seconds, optionally with `s` or `m`."""
    del write
    text = arguments[0] if len(arguments) == 1 else ""
    number = text.removesuffix("s").removesuffix("m")
    try:
        seconds = float(number) * (60 if text.endswith("m") else 1)
    except ValueError as error:
        raise Unsupported(f"sleep {' '.join(arguments)}") from error
    await asyncio.sleep(seconds)
    return 0


async def succeed(arguments: Sequence[str], write: Write) -> int:
    """`true` and `:`."""
    del arguments, write
    return 0


async def fail(arguments: Sequence[str], write: Write) -> int:
    """`false`."""
    del arguments, write
    return 1


async def test(arguments: Sequence[str], write: Write) -> int:
    """`test` on strings and numbers."""
    del write
    return 0 if _holds(list(arguments)) else 1


async def bracket(arguments: Sequence[str], write: Write) -> int:
    """`[ ... ]`."""
    if not arguments or arguments[-1] != "]":
        raise Unsupported("[ without ]")
    return await test(arguments[:-1], write)


def _holds(arguments: list[str]) -> bool:
    match arguments:
        case []:
            return False
        case ["!", *rest]:
            return not _holds(rest)
        case ["-n", text] | [text]:
            return text != ""
        case ["-z", text]:
            return text == ""
        case [left, "=" | "==", right]:
            return left == right
        case [left, "!=", right]:
            return left != right
        case [left, operator, right] if operator in NUMBERS:
            return _compare(operator, left, right)
    raise Unsupported(f"test {' '.join(arguments)}")


def _compare(operator: str, left: str, right: str) -> bool:
    try:
        return NUMBERS[operator](int(left), int(right))
    except ValueError as error:
        raise Unsupported(f"test {left} {operator} {right}: not whole numbers") from error


BUILT_IN: Mapping[str, Command] = {
    "echo": echo,
    "seq": seq,
    "sleep": sleep,
    "true": succeed,
    ":": succeed,
    "false": fail,
    "test": test,
    "[": bracket,
}
