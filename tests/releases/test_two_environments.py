"""Two daemons on one repository, each with its own environment, drift that is healed and windows: neither writes what is the other's."""

from datetime import datetime, timedelta
from pathlib import Path

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import CONFIGMAPS, ROLLOUTS
from reconciler.sources.drift import DriftPolicy, DriftSettings
from reconciler.sources.windows import SyncWindow
from tests.kit.clusters import NAMESPACE, api
from tests.kit.desk import Desk, config, desk, image_of, life, rollout
from tests.kit.repositories import git

HEAL = DriftSettings(policy=DriftPolicy.HEAL)
BY_DAY = SyncWindow(kind="deny", schedule="0 8 * * *", duration=timedelta(hours=10))
BAD = "registry.example.com/web:6.6.6"


async def at(moment: datetime, *places: Desk) -> None:
    """Time passes in both places, and each looks."""
    for place in places:
        place.clock.time = moment
        await place.look()


async def edited(*places: Desk) -> None:
    """Somebody changes an object in each cluster by hand."""
    for place in places:
        change = {"data": {"a": "by hand"}}
        await place.api.client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, "a"), change, query={"fieldManager": "kubectl-edit"})


async def value(place: Desk) -> str:
    return str((await place.found(CONFIGMAPS, "a"))["data"]["a"])


async def image(place: Desk) -> str:
    return image_of(await place.found(ROLLOUTS, "web"))


def changed_since(place: Desk, commit: str) -> list[list[str]]:
    """The files that each commit since then changes, the oldest first."""
    commits = git(place.origin.path, "rev-list", "--reverse", f"{commit}..refs/heads/main").decode().split()
    return [git(place.origin.path, "diff-tree", "--no-commit-id", "--name-only", "-r", one).decode().split() for one in commits]


async def test_each_heals_holds_back_and_restores_only_what_is_its_own(tmp_path: Path) -> None:
    async with (
        desk(tmp_path, environment="staging", path="staging", drift=HEAL) as staging,
        api() as second,
        life(second, staging.origin, tmp_path, environment="production", path="production", drift=HEAL, windows=(BY_DAY,)) as production,
    ):
        places = (staging, production)
        morning = (staging.clock.now() + timedelta(days=1)).replace(hour=7, minute=0)
        noon, evening = morning.replace(hour=12), morning.replace(hour=19)
        files = {
            f"{name}/{file}": text
            for name in ("staging", "production")
            for file, text in (("a.yaml", config("a")), ("web.yaml", rollout()))
        }
        staging.push(files, "good")
        await at(morning, *places)
        for place in places:
            await place.proven()
        bad = staging.push({f"{name}/web.yaml": rollout(BAD) for name in ("staging", "production")}, "bad everywhere")
        await edited(*places)
        await at(noon, *places)
        assert [await value(place) for place in places] == ["1", "by hand"], "what is closed heals nothing"
        assert [await image(place) for place in places] == [BAD, "registry.example.com/web:1.0"]
        await staging.lost()
        await at(noon + timedelta(minutes=2), *places)
        assert changed_since(staging, bad) == [["staging/web.yaml"]]
        assert await image(staging) == "registry.example.com/web:1.0"

        await at(evening, *places)
        assert [await value(place) for place in places] == ["1", "1"]
        assert await image(production) == BAD, "its own verdict is still to come"
        await production.lost()
        for minutes in range(1, 30, 7):
            await at(evening + timedelta(minutes=minutes), *places)
            await staging.judge(1)
            await production.judge(1)
        assert changed_since(staging, bad) == [["staging/web.yaml"], ["production/web.yaml"]]
        assert {name: staging.origin.read(name).decode() for name in files} == files
        assert [await image(place) for place in places] == ["registry.example.com/web:1.0"] * 2
        assert [(await place.events()).count("DriftHealed") for place in places] == [1, 1]
        assert [len(await place.releases()) for place in places] == [2, 2]
