"""`simulate`: a folder's release under virtual time, the same at every run, and laws that can fail."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from reconciler_sandbox.rehearsal.played import as_json, as_junit, as_text
from reconciler_sandbox.rehearsal.virtual.faults import Weather
from reconciler_sandbox.rehearsal.virtual.laws import REST, Law, Memory, Sight, broken
from reconciler_sandbox.rehearsal.virtual.loop import BEGINNING
from reconciler_sandbox.rehearsal.virtual.remote import MemoryRemote
from reconciler_sandbox.rehearsal.virtual.script import parse_scripts
from reconciler_sandbox.rehearsal.virtual.simulate import Order, simulate, weather_of

from reconciler.kernel.errors import Terminal
from reconciler.releases.announce.message import TRAILER

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "sample-repo" / "environments" / "demo"


def story(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "story.yaml"
    file.write_text(text)
    return file


def test_a_good_version_is_proven_and_git_keeps_asking_for_it(tmp_path: Path) -> None:
    [played] = simulate(Order(folder=SAMPLE, story=story(tmp_path, "releases: [{version: good, workload: web, verdict: passed}]")))
    assert played.wrong == []
    assert (played.verdict, played.git) == ("passed", "asks for registry.example.com/shop/web:simulated")
    assert "web: good" in as_text([played])
    assert 'failures="0"' in as_junit([played])


def test_a_version_that_fails_is_sent_home_by_real_measurements_and_git_is_restored(tmp_path: Path) -> None:
    [played] = simulate(Order(folder=SAMPLE, story=story(tmp_path, "releases: [{version: errors, workload: web, verdict: failed}]")))
    assert played.wrong == []
    assert (played.verdict, played.git) == ("failed", "asks for registry.example.com/shop/web:1.0; way back: pushed")
    assert any("success-rate=[0.5]" in moment.text for moment in played.moments)


def test_a_release_that_waits_for_a_person_is_at_rest(tmp_path: Path) -> None:
    [played] = simulate(Order(folder=SAMPLE, story=story(tmp_path, "releases: [{version: never-ready, workload: web}]")))
    assert played.wrong == []
    assert any("InconclusiveAnalysisRun" in moment.text for moment in played.moments)
    assert played.seconds < 3600


def test_an_expectation_that_is_missed_is_said(tmp_path: Path) -> None:
    [played] = simulate(Order(folder=SAMPLE, story=story(tmp_path, "releases: [{version: errors, workload: web, verdict: passed}]")))
    assert played.wrong == ["expected the verdict 'passed', and it is 'failed'"]
    assert json.loads(as_json([played]))["held"] is False
    assert "<failure" in as_junit([played])


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    file = story(tmp_path, "releases: [{version: errors, workload: web}]")
    command = [sys.executable, "-m", "reconciler", "simulate", str(SAMPLE), "--story", str(file), "--seed", "3", "-o", "json"]
    printed = [
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert json.loads(printed[0])["releases"][0]["timeline"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("releases: []", "expected a list"),
        ("releases: [{version: bad}]", "there is no 'bad'"),
        ("releases: [{version: good, verdict: fine}]", "there is no 'fine'"),
        ("releases: [{version: good, workload: bakery}]", "there is no Rollout 'bakery'"),
        ("releases: [{version: good, weather: fine}]", "weather"),
        ("releases: [", "not YAML"),
    ],
)
def test_a_story_that_cannot_be_played_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Terminal, match=words):
        simulate(Order(folder=SAMPLE, story=story(tmp_path, text)))


def test_a_folder_without_a_rollout_or_with_broken_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="holds no Rollout"):
        simulate(Order(folder=tmp_path))
    (tmp_path / "a.yaml").write_text("a: [")
    with pytest.raises(Terminal, match=r"a\.yaml"):
        simulate(Order(folder=tmp_path))
    with pytest.raises(Terminal, match="is no folder"):
        simulate(Order(folder=tmp_path / "none"))


def test_a_story_has_defaults() -> None:
    [script] = parse_scripts({"releases": [{"version": "good"}]})
    assert (script.verdict, script.users, script.promote_after) == ("any", 20.0, timedelta(minutes=1))


def test_a_release_that_fails_is_shrunk_to_the_fewest_faults_and_its_journal_is_of_that_play(tmp_path: Path) -> None:
    file = story(tmp_path, "releases: [{version: good, workload: web, verdict: failed}]")
    seed = next(seed for seed in range(1, 100) if weather_of(seed).lost and weather_of(seed).slow)
    first, second = simulate(Order(folder=SAMPLE, story=file, seed=seed, runs=2, journals=tmp_path))
    assert first.faults == () and f"--seed {seed} --faults none" in as_text([first])
    assert second.wrong == first.wrong and second.faults is None, "the same law is shrunk once"
    assert all(Path(one.journal).stat().st_size for one in (first, second)) and first.journal != second.journal


def test_of_the_faults_of_a_seed_only_those_that_are_named_count() -> None:
    seed = next(seed for seed in range(1, 100) if weather_of(seed).lost and weather_of(seed).slow)
    assert weather_of(seed, ("lost",)) == Weather(lost=weather_of(seed).lost)
    assert weather_of(seed, ()) == weather_of(0) == Weather()


# -- laws -------------------------------------------------------------------------------------------------------------

HELD = {"metadata": {"name": "web-1"}, "status": {"phase": "Closed", "verdict": "failed", "held": True, "podHash": "bad"}}


def sight(at: datetime = BEGINNING, **changes: object) -> Sight:
    known: dict[str, object] = {"objects": {}, "shares": {"good": 20.0}, "remote": MemoryRemote(), "served": True, "bugs": ()}
    return Sight(at=at, **{**known, **changes})  # type: ignore[arg-type]


def names(found: Sequence[str]) -> list[str]:
    return [line.partition(":")[0] for line in found]


def restored(*contents: bytes, each: str = "") -> MemoryRemote:
    """`each` numbers the releases that are restored."""
    remote = MemoryRemote()
    remote.commit({"web.yaml": b"image: web:2\nreplicas: 1\n"}, "two", at=0)
    for number, content in enumerate(contents):
        remote.commit({"web.yaml": content}, f"Restore web\n\n{TRAILER}: shop/web-{number if each else 1}", at=1700 * number)
    return remote


def test_a_quiet_world_breaks_no_law() -> None:
    held = sight(objects={"releases": [HELD]}, remote=restored(b"image: web:1\nreplicas: 1\n"))
    assert broken(REST, held, Memory()) == []


@pytest.mark.parametrize(
    ("changes", "law"),
    [
        ({"bugs": ("a bug: pass failed",)}, "no pass ends in a bug"),
        ({"objects": {"releases": [HELD] * 41}}, "objects stay bounded"),
        ({"beats": {"releases web-1": 121}}, "nothing is written without end"),
        ({"objects": {"rollouts": [{"metadata": {"name": "web"}, "status": {"phase": "Paused"}}]}}, "what waits says why"),
        ({"objects": {"releases": [{"metadata": {"name": "web"}, "status": {"phase": "Pending"}}]}}, "what waits says why"),
        ({"remote": restored(b"image: web:1\nreplicas: 1\n", b"image: web:0\nreplicas: 1\n")}, "git is restored within its budget"),
        ({"remote": restored(*(b"image: web:%d\nreplicas: 1\n" % n for n in range(3)), each="n")}, "git is restored within its budget"),
        ({"remote": restored(b"image: web:1\n")}, "a restore changes nothing but its scalars"),
        ({"remote": restored(b"image: web:1\nscale: 1\n")}, "a restore changes nothing but its scalars"),
    ],
)
def test_each_law_finds_what_breaks_it(changes: dict[str, object], law: str) -> None:
    assert law in names(broken(REST, sight(**changes), Memory()))


@pytest.mark.parametrize(
    ("changes", "law"),
    [
        ({"shares": {"": 3.0}}, "users meet a pod"),
        ({"objects": {"releases": [HELD]}, "shares": {"bad": 3.0}}, "a rejected version meets no users"),
    ],
)
def test_a_law_about_a_span_waits_for_its_end(changes: dict[str, object], law: str) -> None:
    memory, laws = Memory(), REST
    assert law not in names(broken(laws, sight(**changes), memory))
    assert law in names(broken(laws, sight(BEGINNING + timedelta(minutes=2), **changes), memory))
    assert law not in names(broken(laws, sight(BEGINNING + timedelta(minutes=3)), memory))


def test_every_law_has_a_name_that_can_be_read() -> None:
    laws: Sequence[Law] = REST
    assert len({law.__name__ for law in laws}) == len(laws)
