"""Step plug-ins are found by their entry point, held to the contract, and cost no other rollout anything when they break it."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.kube.fence import Fenced
from reconciler.rollouts.plugin import Operation, Reply, StepAnswer, StepCall, StepPhase, SwitchedOff, Unanswered
from reconciler.runtime.installed import Installed, loaded
from reconciler.stepplugins.plugin import HeldPlugin
from reconciler.stepplugins.registry import InstalledSteps, StepHands, found
from tests.kit.rollouts import canary, rollout
from tests.kit.stepplugins import NAME, point

PAGE = Path(__file__).resolve().parents[2] / "docs" / "stepplugins.md"


def question(operation: Operation = Operation.RUN, *, status: Any = None, **config: Any) -> StepCall:
    subject = rollout(canary=canary())
    return StepCall(operation=operation, index=0, name=NAME, config=config, status=status, rollout=subject, key="uid-web-1-0-9")


def plugin(value: str, name: str = NAME) -> Installed:
    (one,) = loaded([point(name, value)])
    return one


async def answer(value: str, call: StepCall, longest: float = 20.0) -> Reply:
    async with httpx.AsyncClient() as http:
        return await HeldPlugin(plugin(value), http, longest).call(call)


def hands(http: httpx.AsyncClient, *disabled: str, shut: str = "") -> StepHands:
    def permit(what: str) -> None:
        if shut:
            raise Fenced(f"{what} withheld: {shut}")

    return StepHands(http, frozenset(disabled), permit)


async def test_a_plugin_is_asked_with_a_copy_and_answers_without_secrets() -> None:
    call = question(apiKey="hunter2-hunter2")
    first = await answer("Load", call)
    assert isinstance(first, StepAnswer) and (first.phase, first.status) == (StepPhase.RUNNING, {"id": "uid-web-1-0-9"})
    assert call.rollout["spec"] != "spoiled"
    second = await answer("Load", replace(call, status=first.status))
    assert isinstance(second, StepAnswer) and second.message == "uid-web-1-0-9 is done with *****"


async def test_the_example_on_the_page_is_a_plugin() -> None:
    names: dict[str, Any] = {}
    exec(PAGE.read_text().split("```python\n")[1].split("```")[0], names)

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        return httpx.Response(200, json={"state": "running" if len(asked) < 3 else "passed"})

    asked: list[tuple[str, str]] = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as http:
        held = HeldPlugin(Installed(NAME, names["LoadTest"]), http)
        call = question(url="http://load", users=5)
        replies = []
        for _ in range(3):
            replies.append(await held.call(call))
            call = replace(call, status=getattr(replies[-1], "status", None))
        replies.append(await held.call(replace(call, operation=Operation.ABORT)))
    assert [getattr(reply, "phase", reply) for reply in replies] == ["Running", "Running", "Successful", "Successful"]
    assert asked[0] == ("PUT", "/tests/uid-web-1-0-9") and asked[-1] == ("DELETE", "/tests/uid-web-1-0-9")


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("dict", "it answered dict, and no StepAnswer"),
        ("phase", "its phase is 'Fine', and no StepPhase"),
        ("message", "its message has to be a text"),
        ("again", "`again` has to be a timedelta"),
        ("status", "its status has to be JSON of at most 16 KiB"),
        ("size", "its status has to be JSON of at most 16 KiB"),
        ("surrogate", "its status has to be JSON of at most 16 KiB"),
        ("secret", "its status holds a secret: everybody may read it"),
    ],
)
async def test_an_answer_that_is_none_is_not_believed(by: str, words: str) -> None:
    assert await answer("Broken", question(by=by, token="hunter2-hunter2")) == Unanswered(f"the plug-in broke its contract: {words}")


async def test_what_it_raises_is_an_error_of_its_step() -> None:
    reply = await answer("Broken", question(by="raising", token="hunter2-hunter2"))
    assert isinstance(reply, StepAnswer) and reply.phase is StepPhase.ERROR
    assert reply.message.startswith("RuntimeError: no way to break") and "hunter2" not in reply.message


@pytest.mark.parametrize(("by", "name"), [("exits", "SystemExit: 3"), ("cancels", "CancelledError: ")])
async def test_it_ends_nothing_but_its_own_call(by: str, name: str) -> None:
    reply = await answer("Broken", question(by=by))
    assert isinstance(reply, StepAnswer) and (reply.phase, reply.message) == (StepPhase.ERROR, name.strip())


async def test_a_secret_is_masked_before_a_message_is_cut() -> None:
    reply = await answer("Broken", question(by="tells", token="hunter2-hunter2"))
    assert isinstance(reply, StepAnswer) and "hunter2" not in reply.message and reply.message.endswith("*****")


async def test_what_it_remembers_is_what_json_keeps_of_it_and_what_it_says_is_one_clean_line() -> None:
    reply = await answer("Broken", question(by="keys"))
    assert isinstance(reply, StepAnswer) and (reply.status, reply.message) == ({"1": [2, None]}, "line line [31m")


async def test_the_end_of_the_daemon_ends_a_call() -> None:
    task = asyncio.create_task(answer("Broken", question(by="hangs")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_plugin_that_does_not_answer_holds_a_rollout_up_for_a_moment_only() -> None:
    reply = await answer("Broken", question(by="hangs"), longest=0.01)
    assert reply == StepAnswer(phase=StepPhase.ERROR, message="TimeoutError: no answer in 0.01s: a step that takes longer answers Running")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Demanding", "the plug-in cannot be made: TypeError"),
        ("Silent", "the plug-in is none: it has no `async def run(self, call)`"),
        ("Blocking", "the plug-in is none: its `abort` is not `async def`"),
        ("LIMIT", "the plug-in tests.kit.stepplugins:LIMIT is no class or function"),
        ("Missing", "the plug-in cannot be loaded from tests.kit.stepplugins:Missing: AttributeError"),
    ],
)
async def test_what_is_no_plugin_says_why_at_each_call(value: str, words: str) -> None:
    reply = await answer(value, question())
    assert isinstance(reply, Unanswered) and reply.reason.startswith(words)


async def test_one_that_has_nothing_to_end_ended() -> None:
    reply = await answer("Load", question(Operation.TERMINATE))
    assert isinstance(reply, StepAnswer) and reply.phase is StepPhase.SUCCESSFUL


async def test_plugins_are_known_by_name_and_asked_only_while_we_may_write() -> None:
    async with httpx.AsyncClient() as http:
        one = [plugin("Load")]
        assert isinstance(await InstalledSteps(one, hands(http)).call(question(apiKey="k")), StepAnswer)
        stranger = await InstalledSteps(one, hands(http)).call(replace(question(), name="example.com/other"))
        assert isinstance(stranger, Unanswered) and "'example.com/other' in the group 'reconciler.steps'" in stranger.reason
        assert await InstalledSteps(one, hands(http, NAME)).call(question()) == SwitchedOff()
        with pytest.raises(Fenced, match=r"Run of step plug-in example\.com/load withheld: the lease is lost"):
            await InstalledSteps(one, hands(http, shut="the lease is lost")).call(question())


def test_two_packages_of_one_name_are_none() -> None:
    (one,) = loaded([point(NAME, "Load"), point(NAME, "Broken")])
    assert one.reason.startswith("is installed more than once")


def test_this_machine_has_none_of_its_own() -> None:
    assert json.dumps([one.name for one in found()]) == "[]"
