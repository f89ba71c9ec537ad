"""Running scripts."""

import asyncio
from collections.abc import Sequence

import pytest
from reconciler_sandbox.node.commands import BUILT_IN
from reconciler_sandbox.node.shell import Shell, Write
from reconciler_sandbox.node.syntax import Unsupported


async def run(script: str, **variables: str) -> tuple[int, str]:
    printed: list[str] = []
    async with asyncio.timeout(10):
        code = await Shell(BUILT_IN, dict(variables), printed.append).run(script)
    return code, "".join(printed)


@pytest.mark.parametrize(
    ("script", "code", "printed"),
    [
        ("echo a; echo b", 0, "a\nb\n"),
        ("true && echo yes || echo no", 0, "yes\n"),
        ("false && echo yes || echo no", 0, "no\n"),
        ("! true", 1, ""),
        ("false; echo $?", 0, "1\n"),
        ("exit 3; echo never", 3, ""),
        ("for i in $(seq 1 3); do echo $i; done", 0, "1\n2\n3\n"),
        ("for i in 1 2 3; do if [ $i = 2 ]; then break; fi; echo $i; done", 0, "1\n"),
        ("for i in 1 2 3; do [ $i -eq 2 ] && continue; echo $i; done", 0, "1\n3\n"),
        ('until [ -n "$DONE" ]; do DONE=1; echo once; done', 0, "once\n"),
        ("if false; then echo a; elif true; then echo b; else echo c; fi", 0, "b\n"),
        ('X=$(echo hello); echo "$X world"', 0, "hello world\n"),
        ("X=$(false)", 1, ""),
        ("echo '$HOST' \"$HOST\" ${HOST}x ${MISSING:-none}", 0, "$HOST shop shopx none\n"),
        ('echo $WORDS; echo "$WORDS"', 0, "a b\na  b\n"),
        ("echo hidden >/dev/null 2>&1; echo shown", 0, "shown\n"),
        ("set -e; false || echo kept; false; echo never", 1, "kept\n"),
        ("set -euo pipefail\nif false; then echo a; fi\necho b", 0, "b\n"),
        ("test 2 -gt 1 && test a != b && test ! -z x", 0, ""),
        ("/bin/echo -n x", 0, "x"),
    ],
)
async def test_a_script_does_what_a_shell_does(script: str, code: int, printed: str) -> None:
    assert await run(script, HOST="shop", WORDS="a  b") == (code, printed)


async def test_a_command_nobody_offers_is_named() -> None:
    with pytest.raises(Unsupported, match="'grep'"):
        await run("grep x")


async def test_set_with_an_unknown_flag_is_named() -> None:
    with pytest.raises(Unsupported, match="set -o vi"):
        await run("set -o vi")


async def test_an_endless_loop_does_not_stop_the_world() -> None:
    async def nothing(arguments: Sequence[str], write: Write) -> int:
        return 0

    running = asyncio.create_task(Shell({"true": nothing}, {}, print).run("while true; do true; done"))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
