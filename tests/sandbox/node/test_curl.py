"""curl's options, output and exit codes, against real servers."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.curl import Curl, options_of
from reconciler_sandbox.node.network import Network, Origin, Resolver
from reconciler_sandbox.node.server import PodServer, Served
from reconciler_sandbox.node.syntax import Unsupported

from tests.kit.pods import fixed_api, serving, session

Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
async def pod() -> AsyncIterator[tuple[str, PodServer, Behaviours]]:
    async with serving(Behaviour("v1", error_rate_by_path={"/bad": 1.0})) as served:
        yield served


@pytest.fixture
async def curl(pod: tuple[str, PodServer, Behaviours]) -> AsyncIterator[Run]:
    """Runs curl as a pod that knows the served pod as `web.test`: exit code, output, complaints."""
    origin = Origin("shop", "127.0.0.9", {"web.test": pod[0]})
    async with session() as client:

        async def run(*arguments: str) -> tuple[int, str, str]:
            printed: list[str] = []
            complaints: list[str] = []
            command = Curl(client, Resolver(fixed_api({}), Network()), origin, 0.01, complaints.append)
            code = await command(arguments, printed.append)
            return code, "".join(printed), "".join(complaints)

        yield run


async def test_the_body_is_printed_and_success_is_zero(curl: Run) -> None:
    code, printed, complaints = await curl("-sS", "http://web.test:8080/")
    assert (code, complaints) == (0, "")
    assert '"version": "v1"' in printed


async def test_an_error_status_fails_only_with_the_fail_flag(curl: Run) -> None:
    assert (await curl("-s", "http://web.test:8080/bad"))[0] == 0
    assert await curl("-sf", "http://web.test:8080/bad") == (22, "", "")
    code, printed, complaints = await curl("-sS", "--fail-with-body", "web.test:8080/bad")
    assert code == 22 and "v1" in printed and "returned error: 500" in complaints


async def test_write_out_tells_the_status(curl: Run) -> None:
    assert await curl("-s", "-o", "/dev/null", "-w", "%{http_code}\\n", "http://web.test:8080/bad") == (0, "500\n", "")


async def test_headers_reach_the_pod(curl: Run, pod: tuple[str, PodServer, Behaviours]) -> None:
    await curl("-s", "-XPOST", "-d", "a=b", "-H", "X-Release-Tester: me", "http://web.test:8080/x")
    assert pod[1].served == {Served("/x", 200, True): 1}


async def test_a_slow_answer_is_a_timeout(curl: Run, pod: tuple[str, PodServer, Behaviours]) -> None:
    pod[2]["web:1"] = Behaviour("v1", hang=True)
    assert (await curl("-s", "--max-time", "0.1", "http://web.test:8080/"))[0] == 28


async def test_a_closed_port_is_refused_and_an_unknown_name_is_not_resolved(curl: Run) -> None:
    assert (await curl("-s", "http://web.test:8081/"))[0] == 7
    assert (await curl("-s", "http://nowhere.test/"))[0] == 6


async def test_transient_errors_are_retried(curl: Run, pod: tuple[str, PodServer, Behaviours]) -> None:
    assert (await curl("-sf", "--retry", "2", "http://web.test:8080/bad"))[0] == 22
    assert pod[1].served[Served("/bad", 500, False)] == 3


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--resolve", "a:1:b", "http://a"), "--resolve"),
        (("-Z", "http://a"), "-Z"),
        (("-s",), "without a URL"),
        (("http://a", "http://b"), "several"),
        (("-m",), "without a value"),
        (("-m", "soon", "http://a"), "soon"),
        (("-d", "@file", "http://a"), "@file"),
    ],
)
def test_options_the_sandbox_does_not_know_are_named(arguments: tuple[str, ...], named: str) -> None:
    with pytest.raises(Unsupported, match=named):
        options_of(arguments)


async def test_other_schemes_and_unknown_variables_are_named(curl: Run) -> None:
    with pytest.raises(Unsupported, match="https"):
        await curl("https://web.test/")
    with pytest.raises(Unsupported, match="time_connect"):
        await curl("-w", "%{time_connect}", "http://web.test:8080/")


def test_short_flags_may_be_joined_and_carry_values() -> None:
    options = options_of(["-sSfm5", "-oout", "-Hx: y", "web/"])
    assert options.url == "http://web/"
    assert options.timeout == 5
    assert options.headers == (("x", "y"),)
    assert options.flags == {"--silent", "--show-error", "--fail"}
