"""Running a container's command line."""

import pytest
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.node.caller import Caller, Ended, can_interpret, script_of
from reconciler_sandbox.node.curl import Curl
from reconciler_sandbox.node.network import Network, Origin, Resolver
from reconciler_sandbox.node.server import Served
from reconciler_sandbox.node.syntax import Unsupported

from tests.kit.pods import fixed_api, serving, session


async def run(*words: str, address: str = "127.0.0.9", **variables: str) -> tuple[Ended, str]:
    printed: list[str] = []
    async with session() as client:
        curl = Curl(client, Resolver(fixed_api({}), Network()), Origin("shop", address), 0.01, printed.append)
        ended = await Caller(curl, printed.append).run(words, variables)
    return ended, "".join(printed)


async def test_a_script_of_curls_really_calls() -> None:
    script = 'set -e; for i in $(seq 1 5); do curl -sSf "http://$HOST:8080/" -o /dev/null; done && echo all'
    async with serving(Behaviour("v1")) as (address, server, _):
        assert await run("sh", "-c", script, HOST=address) == (Ended(0), "all\n")
        assert server.served == {Served("/", 200, False): 5}


async def test_the_last_failing_call_is_the_exit_code() -> None:
    async with serving(Behaviour("v1", error_rate=1)) as (address, _, _):
        ended, _ = await run("sh", "-ec", f"curl -sf http://{address}:8080/; echo never")
        assert ended == Ended(22)
        status = f'[ "$(curl -s -o /dev/null -w "%{{http_code}}" http://{address}:8080/)" = 500 ]'
        assert (await run("/bin/sh", "-c", status))[0] == Ended(0)


async def test_curl_may_be_the_command_itself() -> None:
    async with serving(Behaviour("v1")) as (address, _, _):
        assert (await run("curl", "-s", f"http://{address}:8080/"))[0] == Ended(0)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("python", "check.py"), "'python'"),
        (("sh", "-c", "curl x | jq"), "pipe"),
        (("sh", "script.sh"), "sh script.sh"),
        ((), "without a command"),
    ],
)
async def test_what_cannot_be_interpreted_ends_with_127_and_says_what_it_was(words: tuple[str, ...], named: str) -> None:
    ended, printed = await run(*words)
    assert ended.code == 127
    assert named in ended.message
    assert named in printed


def test_only_known_first_words_make_a_container_interpretable() -> None:
    assert can_interpret({"image": "curlimages/curl:8", "args": ["http://a"]})
    assert can_interpret({"image": "busybox", "command": ["/bin/sh", "-c", "true"]})
    assert not can_interpret({"image": "web:1", "command": ["/server"]})
    assert not can_interpret({"image": "web:1"})


def test_shell_flags_become_a_set_command() -> None:
    assert script_of(["-ec", "true"]) == "set -e\ntrue"
    with pytest.raises(Unsupported):
        script_of(["-c", "true", "name"])
