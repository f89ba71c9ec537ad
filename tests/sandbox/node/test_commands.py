"""The small commands."""

import pytest
from reconciler_sandbox.node.commands import BUILT_IN
from reconciler_sandbox.node.syntax import Unsupported


async def run(name: str, *arguments: str) -> tuple[int, str]:
    printed: list[str] = []
    code = await BUILT_IN[name](arguments, printed.append)
    return code, "".join(printed)


async def test_seq_counts_up_and_down() -> None:
    assert await run("seq", "3") == (0, "1\n2\n3\n")
    assert await run("seq", "6", "-2", "2") == (0, "6\n4\n2\n")


@pytest.mark.parametrize(
    ("arguments", "code"), [(("a", "=", "a"), 0), (("a", "!=", "a"), 1), (("3", "-le", "2"), 1), (("-n", ""), 1), (("word",), 0), ((), 1)]
)
async def test_test_compares_strings_and_numbers(arguments: tuple[str, ...], code: int) -> None:
    assert await run("test", *arguments) == (code, "")
    assert await run("[", *arguments, "]") == (code, "")


@pytest.mark.parametrize(
    "command", [("seq", "a"), ("sleep", "soon"), ("test", "-f", "x"), ("test", "a", "-eq", "b"), ("[", "a"), ("echo", "-e", "x")]
)
async def test_what_a_command_does_not_know_is_named(command: tuple[str, ...]) -> None:
    with pytest.raises(Unsupported, match=command[0].replace("[", r"\[")):
        await run(*command)


async def test_sleep_takes_fractions() -> None:
    assert await run("sleep", "0.01s") == (0, "")
