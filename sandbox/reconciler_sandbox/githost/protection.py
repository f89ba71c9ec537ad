"""Protected branches: git's own proc-receive hook, with the refusals that GitHub shows word for word.

This file is also the hook script itself: git starts it with the standard library only, so it imports nothing else of ours.
The protocol is githooks(5), "proc-receive": pkt-lines, version first, then one command per line.
"""

import json
import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

RULES = "protection.json"
Rules = Mapping[str, Mapping[str, Any]]
"""Per full ref name: `allow`, the users who may push all the same, and `ruleset`, whether rulesets (GH013) or the classic kind refuse."""


def install(folder: Path, rules: Rules) -> list[str]:
    """Write hook and rules into a bare repository; returns the refs for `receive.procReceiveRefs`."""
    (folder / RULES).write_text(json.dumps(rules))
    hook = folder / "hooks" / "proc-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(Path(__file__).resolve()))}\n")
    hook.chmod(0o755)
    return sorted(rules)


def verdict(ref: str, user: str, rules: Rules) -> tuple[str, str]:
    """The reason in the push report ("" = let it through) and the words on the pusher's terminal."""
    rule = rules.get(ref)
    if rule is None or user in rule["allow"]:
        return "", ""
    if rule.get("ruleset"):
        words = f"error: GH013: Repository rule violations found for {ref}.\n\n- Changes must be made through a pull request.\n\n"
        return "push declined due to repository rule violations", words
    words = f"error: GH006: Protected branch update failed for {ref}.\nerror: Changes must be made through a pull request.\n"
    return "protected branch hook declined", words


def packet(line: bytes) -> bytes:
    return b"%04x" % (len(line) + 4) + line


def packets(stream: BinaryIO) -> Iterable[bytes]:
    """The pkt-lines up to the next flush packet or the end."""
    while (size := int(stream.read(4) or b"0", 16)) > 4:
        yield stream.read(size - 4)


def report(commands: Iterable[bytes], user: str, rules: Rules) -> tuple[bytes, str]:
    """The answer of the hook to `old new ref` commands, and what to print for the pusher."""
    lines, shown = [], ""
    for command in commands:
        ref = command.split(b" ", 2)[2].strip().decode()
        reason, words = verdict(ref, user, rules)
        shown += words
        lines += [f"ng {ref} {reason}"] if reason else [f"ok {ref}", "option fall-through"]
    return b"".join(packet(line.encode()) for line in lines) + b"0000", shown


def main() -> None:
    """Speak the hook protocol on stdin and stdout; git runs hooks inside the repository's folder."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    version = b"".join(packets(source)).partition(b"\0")
    sink.write(packet(b"version=1" + (b"\0push-options" if b"push-options" in version[2] else b"")) + b"0000")
    sink.flush()
    commands = list(packets(source))
    if b"push-options" in version[2]:
        list(packets(source))
    answer, shown = report(commands, os.environ.get("REMOTE_USER", ""), json.loads(Path(RULES).read_text()))
    sys.stderr.write(shown)
    sys.stderr.flush()
    sink.write(answer)
    sink.flush()


if __name__ == "__main__":
    main()
