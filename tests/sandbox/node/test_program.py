"""curl really calls, with its output and its exit codes; other programs are refused by name."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.network import Network, Origin, Resolver
from reconciler_sandbox.node.program import Surroundings, is_known, run
from reconciler_sandbox.node.server import PodServer, Served

from tests.kit.pods import fixed_api, serving, session

Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
async def pod() -> AsyncIterator[tuple[str, PodServer, Behaviours]]:
    async with serving(Behaviour("v1", error_rate_by_path={"/bad": 1.0})) as served:
        yield served


@pytest.fixture
async def program(pod: tuple[str, PodServer, Behaviours]) -> AsyncIterator[Run]:
    """Runs a command line in a pod that knows the served pod as `web.test`: exit code, output."""
    origin = Origin("shop", "127.0.0.9", {"web.test": pod[0]})
    async with session() as client:

        async def ran(*words: str) -> tuple[int, str]:
            printed: list[str] = []
            around = Surroundings(client, Resolver(fixed_api({}), Network()), origin, printed.append)
            return (await run(words, around)).code, "".join(printed)

        yield ran


async def test_the_body_is_printed_and_success_is_zero(program: Run) -> None:
    code, printed = await program("/usr/bin/curl", "-sS", "http://web.test:8080/")
    assert code == 0 and '"version": "v1"' in printed
    assert await program("curl", "-s", "-o", "/dev/null", "http://web.test:8080/") == (0, "")


async def test_an_error_status_fails_only_with_the_fail_flag(program: Run) -> None:
    assert (await program("curl", "-s", "http://web.test:8080/bad"))[0] == 0
    assert await program("curl", "-sf", "http://web.test:8080/bad") == (22, "")
    assert await program("curl", "-sSf", "http://web.test:8080/bad") == (22, "curl: (22) The requested URL returned error: 500\n")


async def test_headers_reach_the_pod(program: Run, pod: tuple[str, PodServer, Behaviours]) -> None:
    await program("curl", "-s", "-H", "X-Release-Tester: me", "http://web.test:8080/x")
    assert pod[1].served == {Served("/x", 200, True): 1}


async def test_a_slow_answer_is_a_timeout(program: Run, pod: tuple[str, PodServer, Behaviours]) -> None:
    pod[2]["web:1"] = Behaviour("v1", hang=True)
    assert (await program("curl", "-s", "--max-time", "0.1", "http://web.test:8080/"))[0] == 28


async def test_a_closed_port_is_refused_and_an_unknown_name_is_not_resolved(program: Run) -> None:
    assert (await program("curl", "-s", "http://web.test:8081/"))[0] == 7
    assert (await program("curl", "-s", "http://nowhere.test/"))[0] == 6


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("python", "check.py"), "the program 'python'"),
        (("sh", "-c", "curl x"), "the program 'sh'"),
        (("curl", "https://web.test/"), "https"),
        (("curl", "--retry", "3", "http://web.test/"), "curl --retry"),
        ((), "without a command"),
    ],
)
async def test_what_is_not_supported_ends_with_127_and_says_what_it_was(program: Run, words: tuple[str, ...], named: str) -> None:
    code, printed = await program(*words)
    assert code == 127 and printed.startswith("the sandbox does not support ") and named in printed


def test_only_curl_makes_a_container_of_an_unknown_image_a_program() -> None:
    assert is_known({"image": "curlimages/curl:8", "args": ["http://a"]})
    assert not is_known({"image": "busybox", "command": ["/bin/sh", "-c", "true"]})
    assert not is_known({"image": "web:1"})
