"""Runs a parsed script: variables, lists, loops and conditions; the commands themselves come from a table."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence

from reconciler_sandbox.node.script import parse
from reconciler_sandbox.node.syntax import For, If, Node, Script, Simple, Step, Substitution, Text, Unsupported, Variable, While, Word

Write = Callable[[str], None]
Command = Callable[[Sequence[str], Write], Awaitable[int]]
EXIT_FLAGS = set("eux")


class Exited(Exception):
    """The script ended itself with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class _Left(Exception):
    """A loop is left (`again` false) or continued."""

    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again = again


class Shell:
    """One run of one script. `run` gives the exit code; it raises Unsupported for a command that nobody offers."""

    def __init__(self, commands: Mapping[str, Command], variables: MutableMapping[str, str], write: Write) -> None:
        self._commands = commands
        self._variables = variables
        self._write = write
        self._stops_at_failure = False

    async def run(self, text: str) -> int:
        """Run a script to its end."""
        try:
            return await self._script(parse(text), guarded=False)
        except Exited as ended:
            return ended.code

    async def command(self, name: str, arguments: Sequence[str]) -> int:
        """Run one command without any shell syntax."""
        return await self._command(name, arguments, self._write)

    async def _script(self, script: Script, *, guarded: bool) -> int:
        code = 0
        for index, step in enumerate(script.steps):
            if (step.connector == "&&" and code != 0) or (step.connector == "||" and code == 0):
                continue
            last = index + 1 == len(script.steps) or script.steps[index + 1].connector == ";"
            code = await self._step(step, guarded=guarded or not last)
            self._variables["?"] = str(code)
        return code

    async def _step(self, step: Step, *, guarded: bool) -> int:
        # Yields to the loop even if nothing inside waits: `while true` must not stop the world.
        await asyncio.sleep(0)
        code = await self._node(step.node, guarded=guarded or step.negated)
        if step.negated:
            return 0 if code else 1
        if code and self._stops_at_failure and not guarded and isinstance(step.node, Simple):
            raise Exited(code)
        return code

    async def _node(self, node: Node, *, guarded: bool) -> int:
        match node:
            case Simple():
                return await self._simple(node)
            case For():
                return await self._for(node, guarded=guarded)
            case While():
                return await self._while(node, guarded=guarded)
            case If():
                return await self._if(node, guarded=guarded)

    async def _for(self, loop: For, *, guarded: bool) -> int:
        code = 0
        for value in await self._fields(loop.words):
            self._variables[loop.name] = value
            try:
                code = await self._script(loop.body, guarded=guarded)
            except _Left as left:
                code = 0
                if not left.again:
                    break
        return code

    async def _while(self, loop: While, *, guarded: bool) -> int:
        code = 0
        while (await self._script(loop.condition, guarded=True) == 0) is loop.wanted:
            try:
                code = await self._script(loop.body, guarded=guarded)
            except _Left as left:
                code = 0
                if not left.again:
                    break
        return code

    async def _if(self, choice: If, *, guarded: bool) -> int:
        for condition, body in choice.branches:
            if await self._script(condition, guarded=True) == 0:
                return await self._script(body, guarded=guarded)
        return await self._script(choice.otherwise, guarded=guarded)

    async def _simple(self, simple: Simple) -> int:
        code = 0
        local: dict[str, str] = {}
        for name, word in simple.assignments:
            local[name], code = await self._joined(word)
        fields = await self._fields(simple.words)
        if not fields:
            self._variables.update(local)
            return code
        if local:
            raise Unsupported(f"the assignment {next(iter(local))}= in front of {fields[0]}")
        write = _drop if simple.silent else self._write
        return await self._command(fields[0], fields[1:], write)

    async def _command(self, name: str, arguments: Sequence[str], write: Write) -> int:
        match name:
            case "exit":
                raise Exited(int(arguments[0]) if arguments else int(self._variables.get("?", "0")))
            case "break" | "continue":
                raise _Left(again=name == "continue")
            case "set":
                return self._set(arguments)
        command = self._commands.get(name.rsplit("/", 1)[-1])
        if command is None:
            raise Unsupported(f"the command {name!r}")
        return await command(arguments, write)

    def _set(self, arguments: Sequence[str]) -> int:
        flags = "".join(argument.lstrip("-") for argument in arguments if argument not in {"-o", "pipefail"}).replace("o", "")
        if (
            not arguments
            or not all(argument.startswith("-") or argument == "pipefail" for argument in arguments)
            or set(flags) - EXIT_FLAGS
        ):
            raise Unsupported(f"set {' '.join(arguments)}")
        self._stops_at_failure = self._stops_at_failure or "e" in flags
        return 0

    async def _fields(self, words: Sequence[Word]) -> list[str]:
        fields: list[str] = []
        for word in words:
            fields.extend(await self._split(word))
        return fields

    async def _split(self, word: Word) -> list[str]:
        fields = [""]
        solid = False
        for part in word:
            text, _ = await self._value(part)
            if isinstance(part, Text) or part.quoted:
                fields[-1] += text
                solid = solid or isinstance(part, Text) or part.quoted
                continue
            first, *others = text.split() or [""]
            fields[-1] += first
            fields.extend(others)
        return fields if solid or fields != [""] else []

    async def _joined(self, word: Word) -> tuple[str, int]:
        values = [await self._value(part) for part in word]
        return "".join(text for text, _ in values), next((code for _, code in reversed(values) if code), 0)

    async def _value(self, part: Text | Variable | Substitution) -> tuple[str, int]:
        match part:
            case Text():
                return part.text, 0
            case Variable():
                return self._variables.get(part.name) or part.fallback, 0
            case Substitution():
                captured: list[str] = []
                inner = Shell(self._commands, dict(self._variables), captured.append)
                try:
                    code = await inner._script(part.script, guarded=False)
                except Exited as ended:
                    code = ended.code
                return "".join(captured).rstrip("\n"), code


def _drop(text: str) -> None:
    del text
