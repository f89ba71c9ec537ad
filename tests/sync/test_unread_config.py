"""Config that cannot be read in Git now begins no release of who reads it."""

from pathlib import Path

import pytest
import yaml

from reconciler.kernel.resources import CONFIGMAPS, ROLLOUTS
from tests.kit.desk import config, desk, image_of, rollout

FROM = "          envFrom: [{configMapRef: {name: settings}}]\n"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"


@pytest.mark.parametrize("slip", ["a: [\n", POINTER])
async def test_a_slip_in_a_file_of_config_begins_no_release(tmp_path: Path, slip: str) -> None:
    async with desk(tmp_path) as shop:
        shop.push({"web.yaml": rollout(extra=FROM), "settings.yaml": config("settings")})
        await shop.proven()
        before = (await shop.found(ROLLOUTS, "web"))["spec"]
        shop.push({"settings.yaml": slip, "web.yaml": rollout("registry.example.com/web:1.1", extra=FROM)})
        await shop.look()
        assert len(await shop.releases()) == 1
        assert (await shop.found(ROLLOUTS, "web"))["spec"] == before
        assert "Rollout shop/web stays as it is: what it reads cannot be read in Git now (ConfigMap settings)" in await shop.problems()
        assert await shop.live(CONFIGMAPS, "settings") is not None
        shop.push({"settings.yaml": config("settings", "2")})
        await shop.look()
        assert len(await shop.releases()) == 2
        assert await shop.problems() == ""


async def test_beside_another_applier_the_newest_release_says_what_was_read(tmp_path: Path) -> None:
    async with desk(tmp_path, apply=False, companion=True) as shop:
        shop.push({"web.yaml": rollout(extra=FROM), "settings.yaml": config("settings")})
        await shop.api.client.create(ROLLOUTS, yaml.safe_load(rollout(extra=FROM)))
        await shop.proven()
        shop.push({"settings.yaml": "a: [\n"})
        await shop.look()
        assert len(await shop.releases()) == 1 and "stays as it is" in await shop.problems()


async def test_config_that_was_never_here_keeps_nothing_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as shop:
        shop.push({"web.yaml": rollout(extra=FROM)})
        await shop.proven()
        shop.push({"web.yaml": rollout("registry.example.com/web:1.1", extra=FROM), "broken.yaml": "kind: Rollout\na: [\n"})
        await shop.look()
        assert image_of(await shop.found(ROLLOUTS, "web")) == "registry.example.com/web:1.1"
