"""A container's log."""

import asyncio

from reconciler_sandbox.node.log import LONGEST, Log


def test_the_tail_counts_lines_and_not_writes() -> None:
    log = Log()
    for part in ("a", "b\n", "c\nd\n"):
        log.write(part)
    assert log.text == "ab\nc\nd\n"
    assert log.tail(2) == "c\nd\n"
    assert log.tail(0) == ""
    assert log.tail(None) == log.text


def test_only_the_last_part_is_kept() -> None:
    log = Log()
    for number in range(LONGEST + 1):
        log.write(f"{number}\n")
    assert log.text.startswith("1\n")


async def test_a_follower_sees_everything_until_the_end() -> None:
    log = Log()
    log.write("before\n")
    found: list[str] = []

    async def read() -> None:
        async for part in log.follow(None):
            found.append(part)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(read())
        await asyncio.sleep(0)
        log.write("during\n")
        await asyncio.sleep(0)
        log.write("last\n")
        log.close()
    assert "".join(found) == "before\nduring\nlast\n"
