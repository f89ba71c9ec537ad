"""Stories are played: lanes side by side, a missed expectation ends its lane and no other, trouble is an outcome."""

import socket
from pathlib import Path

from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.podnetwork import listens_at
from reconciler_sandbox.rehearsal.actions import Hands
from reconciler_sandbox.rehearsal.player import Player
from reconciler_sandbox.rehearsal.record import Entry

from tests.kit.rehearsal import CONFIG_MAPS, IMAGE, config_map, stage, story, web_objects
from tests.kit.wait import until

RED = "{what: it is red, within: 200ms, object: ConfigMap shop/one, path: data.colour, equals: red}"
BLUE = "{what: it is blue, within: 200ms, object: ConfigMap shop/one, path: data.colour, equals: blue}"


async def played(folder: Path, steps: str) -> tuple[bool, list[Entry]]:
    entries: list[Entry] = []
    async with stage(folder) as built, Hands(built) as hands:
        await built.api.create(CONFIG_MAPS, dict(config_map("one", colour="red")))
        held = await Player(built, hands, entries.append).play([story(steps)])
    return held, entries


def told(entries: list[Entry], kind: str) -> list[str]:
    return [entry.text for entry in entries if entry.kind == kind]


async def test_what_holds_is_told_with_what_was_observed(tmp_path: Path) -> None:
    held, entries = await played(tmp_path, f"- {{name: Look, say: closely, expect: [{RED}]}}")
    assert held
    assert [entry.kind for entry in entries] == ["title", "step", "say", "outcome"]
    outcome = entries[-1].outcome
    assert outcome is not None and (outcome.observed, outcome.place, outcome.held) == ("red", "test.yaml:3", True)
    assert outcome.expected == "ConfigMap shop/one: data.colour is red (within 0.2 s)"


async def test_a_missed_expectation_ends_the_lane(tmp_path: Path) -> None:
    held, entries = await played(tmp_path, f"- expect: [{BLUE}]\n- expect: [{RED}]")
    assert not held
    assert told(entries, "outcome") == ["it is blue"]
    assert told(entries, "note") == ["1 further step is not played"]


async def test_other_lanes_go_on(tmp_path: Path) -> None:
    held, entries = await played(tmp_path, f"- together: {{left: [expect: [{BLUE}]], right: [expect: [{RED}], expect: [{RED}]]}}")
    assert not held
    assert sorted((entry.lane, entry.text) for entry in entries if entry.outcome) == [
        ("test/left", "it is blue"),
        ("test/right", "it is red"),
        ("test/right", "it is red"),
    ]


async def test_a_deed_that_cannot_be_done_is_a_missed_expectation(tmp_path: Path) -> None:
    held, entries = await played(tmp_path, "- patch: {object: ConfigMap shop/none, body: {data: {a: b}}}")
    outcome = entries[-1].outcome
    assert not held and outcome is not None and "404" in outcome.observed


async def test_waiting_ends_when_the_daemon_ends_by_itself(tmp_path: Path) -> None:
    entries: list[Entry] = []
    async with stage(tmp_path) as built, Hands(built) as hands:
        built.settings_file.write_text("nonsense: true\n")
        steps = "- daemon: start\n- expect: [{what: never, within: 60s, object: ConfigMap shop/x, path: a, equals: 1}]"
        assert not await Player(built, hands, entries.append).play([story(steps)])
    assert any(entry.outcome and "ended by itself" in entry.outcome.observed for entry in entries)


async def test_a_pod_that_this_machine_cannot_run_ends_the_waiting_with_the_reason(tmp_path: Path) -> None:
    entries: list[Entry] = []
    async with stage(tmp_path, {f"{IMAGE}:1.0": Behaviour("1.0")}) as built, Hands(built) as hands:
        place, deployment = web_objects()[0]
        await built.api.create(place, dict(deployment))

        async def address() -> str:
            return "".join(pod["status"].get("podIP", "") for pod in await built.api.list("/api/v1/namespaces/shop/pods"))

        prefix, _, host = listens_at(await until(address)).rpartition(".")
        following = f"{prefix}.{int(host) + 1}"
        with socket.socket() as stranger:  # listens where the next pod is going to
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.bind((following, built.ports.open(following, 8080)))
            stranger.listen()
            steps = """
                - patch: {object: Deployment shop/web, body: {spec: {replicas: 2}}}
                - expect: [{what: never, within: 60s, object: ConfigMap shop/x, path: a, equals: 1}]
            """
            assert not await Player(built, hands, entries.append).play([story(steps)])
    assert any(entry.outcome and f"cannot listen on {following}" in entry.outcome.observed for entry in entries)
