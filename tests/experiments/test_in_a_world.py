"""A release whose canary has an experiment step, under virtual time: the whole daemon, an API server, controllers, a node and users.

It succeeds, it fails by what users meet, a person aborts it in the middle, and the daemon dies after each of its writes.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from reconciler_sandbox.client import Answer, Call
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.virtual.faults import WRITES, Weather
from reconciler_sandbox.rehearsal.virtual.git import MemoryRunner
from reconciler_sandbox.rehearsal.virtual.life import Footing, Life
from reconciler_sandbox.rehearsal.virtual.loop import run_virtually
from reconciler_sandbox.rehearsal.virtual.objects import ObjectStore
from reconciler_sandbox.rehearsal.virtual.witness import Witness
from reconciler_sandbox.rehearsal.virtual.world import REPOSITORY, Ground, World

from reconciler.runtime.journal import Silence
from tests.kit.shop import IMAGE, NETWORK, ROLLOUT, ROLLOUTS

STEPS = """\
        - setWeight: 20
        - experiment:
            duration: 2m
            scaleDownDelaySeconds: 5
            templates:
              - {name: baseline, specRef: stable, weight: 10}
              - {name: canary, specRef: canary, weight: 10}
            analyses:
              - name: errors
                templateName: errors
                requiredForCompletion: true
                args:
                  - {name: version, value: "{{templates.canary.podTemplateHash}}"}
"""
ASKED = 'istio_requests_total{reporter="source",destination_canonical_revision="{{args.version}}"'
ANALYSIS = f"""\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: errors, namespace: shop}}
spec:
  args: [{{name: version}}]
  metrics:
    - name: errors
      initialDelay: 30s
      interval: 10s
      count: 3
      successCondition: result[0] >= 0.9
      provider:
        prometheus:
          query: |
            (sum(rate({ASKED},response_code="200"}}[1m])) or vector(0)) / sum(rate({ASKED}}}[1m]))
"""
FILES = {"network.yaml": NETWORK.encode(), "analysis.yaml": ANALYSIS.encode()}
TRYING = "60 20 10 10"
"""The weights of stable, canary, and the experiment's baseline and canary."""
LASTS = 400
"""Seconds after which everything is at rest."""
EXPERIMENTS, SETS = ROLLOUTS.replace("rollouts", "experiments"), "/apis/apps/v1/namespaces/shop/replicasets"


def rollout(version: str) -> bytes:
    return (ROLLOUT % {"image": f"{IMAGE}:{version}", "steps": STEPS.rstrip()}).encode()


@dataclass
class Knife:
    """The way to the API server, on which the daemon dies after its n-th write since the push."""

    world: World
    after: int = 0
    writes: list[str] = field(default_factory=list)
    counting: bool = False
    life: Life | None = None

    async def call(self, call: Call) -> Answer:
        answer = await self.world.server.call(call)
        if self.counting and call.method in WRITES and "/events" not in call.path:
            self.writes.append(f"{call.method} {call.path}")
            if len(self.writes) == self.after and self.life is not None:
                self.life.way.cut = True
        return answer


class Release:
    """One release of the shop in a world of its own."""

    def __init__(self, folder: Path, *, bad: bool = False, after: int = 0) -> None:
        behaviours = {f"{IMAGE}:1.0": Behaviour("good"), f"{IMAGE}:1.1": Behaviour("new", error_rate=0.5 if bad else 0.0)}
        self._ground = Ground(
            files={**FILES, "rollout.yaml": rollout("1.0")},
            behaviours=behaviours,
            namespaces=("shop",),
            kinds=("Service", "VirtualService.networking.istio.io", "AnalysisTemplate.argoproj.io", "Rollout.argoproj.io"),
            folder=folder,
        )
        self._after = after
        self.seen: list[str] = []
        """The weights of the VirtualService, as they changed."""
        self.end: dict[str, Any] = {}
        self.writes: list[str] = []
        self.wrong: list[str] = []

    def played(self, meanwhile: "Callable[[World], Any] | None" = None) -> "Release":
        run_virtually(self._play(meanwhile))
        return self

    async def _play(self, meanwhile: "Callable[[World], Any] | None") -> None:
        async with World(self._ground) as world:
            witness, knife = Witness(world), Knife(world, self._after)
            life = knife.life = self._life(world, knife)
            try:
                await asyncio.sleep(120)
                witness.served = True
                knife.counting = True
                world.remote.commit({"rollout.yaml": rollout("1.1")}, "web 1.1", at=world.now)
                for _ in range(LASTS):
                    await asyncio.sleep(1)
                    await self._note(world)
                    if life.way.cut and knife.life is life:
                        await life.end()
                        knife.life = None
                        life = self._life(world, knife)
                    if meanwhile is not None and self.seen[-1] == TRYING:
                        await asyncio.sleep(10)
                        await meanwhile(world)
                        meanwhile = None
                assert life.failure is None
                witness.at_rest()
                self.writes, self.wrong, self.end = knife.writes, witness.wrong, await ended(world)
            finally:
                await life.end()

    def _life(self, world: World, knife: Knife) -> Life:
        mirror, remotes = ObjectStore(), {REPOSITORY: world.remote}
        footing = Footing(
            settings=world.settings,
            call=knife.call,
            http=world.http,
            runners=lambda directory, _home: MemoryRunner(directory, mirror, remotes),
            folder=self._ground.folder,
            seed=0,
            journal=Silence(),
        )
        life = Life(footing, Weather())
        life.start()
        return life

    async def _note(self, world: World) -> None:
        virtual = await world.api.get("/apis/networking.istio.io/v1/namespaces/shop/virtualservices/web")
        assert virtual is not None
        weights = " ".join(str(d.get("weight", 0)) for d in virtual["spec"]["http"][0]["route"])
        if not self.seen or self.seen[-1] != weights:
            self.seen.append(weights)


async def ended(world: World) -> dict[str, Any]:
    """What there is in the end, as far as it must be the same however often the daemon died."""
    live = await world.api.get(f"{ROLLOUTS}/web")
    releases = await listed(world, "/apis/reconciler.dev/v1alpha1/namespaces/shop/releases")
    assert live is not None
    return {
        "rollout": live["status"]["phase"],
        "experiment": live["status"]["canary"].get("currentExperiment", ""),
        "verdict": releases[-1]["status"].get("verdict"),
        "evidence": sorted((row["metric"], row["phase"]) for row in releases[-1]["status"].get("evidence") or []),
        "experiments": sorted(found["status"]["phase"] for found in await listed(world, EXPERIMENTS)),
        "pods": sorted((r["metadata"]["name"].count("-"), r["spec"]["replicas"]) for r in await listed(world, SETS)),
        "services": sorted(s["metadata"]["name"] for s in await listed(world, "/api/v1/namespaces/shop/services")),
    }


async def listed(world: World, path: str) -> list[dict[str, Any]]:
    found = await world.api.get(path)
    items = list((found or {})["items"])
    return sorted(items, key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]))


def test_a_good_version_is_tried_out_beside_the_canary_and_goes_on(tmp_path: Path) -> None:
    release = Release(tmp_path).played()
    assert release.seen == ["100 0", "80 20", TRYING, "80 20", "100 0"]
    assert release.end["rollout"] == "Healthy" and release.end["verdict"] == "passed" and release.end["experiments"] == ["Successful"]
    assert release.end["evidence"] == [("errors", "Successful")] and release.end["services"] == ["web", "web-canary"]
    assert release.wrong == []


def test_a_bad_version_is_sent_home_by_what_the_users_of_the_experiment_met(tmp_path: Path) -> None:
    release = Release(tmp_path, bad=True).played()
    assert release.seen == ["100 0", "80 20", TRYING, "100 0"]
    assert release.end["verdict"] == "failed" and release.end["evidence"] == [("errors", "Failed")]
    assert release.end["experiments"][0] == "Failed" and release.end["services"] == ["web", "web-canary"] and release.wrong == []


async def abort(world: World) -> None:
    await world.api.patch(f"{ROLLOUTS}/web/status", {"status": {"abort": True}})


def test_a_person_who_aborts_in_the_middle_takes_the_users_off_the_experiment(tmp_path: Path) -> None:
    release = Release(tmp_path).played(abort)
    assert release.seen == ["100 0", "80 20", TRYING, "100 0"]
    assert release.end["rollout"] in ("Degraded", "Healthy") and release.end["verdict"] == "aborted"
    assert release.end["services"] == ["web", "web-canary"] and release.wrong == []


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("bad", [False, True], ids=["good", "bad"])
def test_a_daemon_that_dies_after_any_of_its_writes_comes_to_the_same_end(tmp_path: Path, bad: bool, part: int) -> None:
    """From the write that makes the experiment on: what comes before knows nothing of it."""
    unbroken = Release(tmp_path, bad=bad).played()
    made = next(number for number, write in enumerate(unbroken.writes) if write == f"POST {EXPERIMENTS}")
    assert len(unbroken.writes) > made + 30
    for after in range(made + 1 + part, len(unbroken.writes) + 1, 4):
        broken = Release(tmp_path, bad=bad, after=after).played()
        assert broken.end == unbroken.end, f"died after {unbroken.writes[after - 1]}"
        assert broken.wrong == [] and len(broken.writes) >= after
