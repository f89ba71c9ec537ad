"""The verbs a person presses, as the cluster sees them."""

from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of
from reconciler.kernel.resources import ANALYSIS_RUNS, CONFIGMAPS, EXPERIMENTS, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.sources.inventory import Inventory, render_inventory
from tests.kit.clusters import NAMESPACE
from tests.kit.shell import Shell
from tests.kit.stocked import fill

PLACE = ObjectRef(ROLLOUTS, NAMESPACE, "web")


async def web(client: Client) -> Manifest:
    return await client.get(ROLLOUTS, NAMESPACE, "web")


async def begin_run(client: Client) -> None:
    metadata = {"name": "run", "namespace": NAMESPACE}
    await client.create(ANALYSIS_RUNS, {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": metadata, "spec": {}})


async def analysis_run(client: Client) -> Manifest:
    return await client.get(ANALYSIS_RUNS, NAMESPACE, "run")


def test_promote_takes_the_pause_away(sh: Shell) -> None:
    sh.ask(fill)
    assert sh("promote", "web", "-n", "shop").output == "rollout 'web' promoted\n"
    assert "pauseConditions" not in sh.ask(web)["status"]


def test_promote_in_full_skips_what_is_left(sh: Shell) -> None:
    sh.ask(fill)
    assert sh("promote", "web", "--full", "-n", "shop").output == "rollout 'web' fully promoted\n"
    assert sh.ask(web)["status"]["promoteFull"] is True


def test_abort_and_retry(sh: Shell) -> None:
    sh.ask(fill)
    assert sh("abort", "web", "-n", "shop").code == 0
    assert sh.ask(web)["status"]["abort"] is True
    assert sh("retry", "web", "-n", "shop").code == 0
    assert sh.ask(web)["status"]["abort"] is False


def test_pause_and_restart(sh: Shell) -> None:
    sh.ask(fill)
    assert sh("pause", "web", "-n", "shop").code == 0
    assert sh("restart", "web", "-n", "shop").code == 0
    spec = sh.ask(web)["spec"]
    assert spec["paused"] is True and spec["restartAt"].endswith("Z")


def test_undo_brings_the_revision_before_back_and_says_that_git_does_not_know(sh: Shell) -> None:
    sh.ask(fill)
    assert "Git still asks for its own version" in sh("undo", "web", "-n", "shop").output
    template = sh.ask(web)["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "web:1"
    assert template["metadata"]["labels"] == {"app": "web"}


async def follow(client: Client) -> None:
    """A source applies the rollout and asks for one identity of it."""
    await client.patch(PLACE, {"metadata": {"annotations": {"reconciler.dev/source": "shop"}}})
    asked = Inventory(workloads={"Rollout/shop/web": "asked"})
    await client.create(CONFIGMAPS, render_inventory("shop", "reconciler", asked))


def test_undo_and_set_image_say_that_they_override_git_and_mark_it(sh: Shell) -> None:
    sh.ask(fill)
    sh.ask(follow)
    assert "an override of yours is in force: it holds until" in sh("undo", "web", "-n", "shop").output
    assert annotations_of(sh.ask(web))["reconciler.dev/override"] == "asked"
    assert "Override:   a person's" in sh("get", "rollout", "web", "-n", "shop").output
    assert "An override of a person is in force" in sh("explain", "web", "-n", "shop").output
    assert "an override of yours is in force" in sh("set", "image", "web", "web=web:9", "-n", "shop").output
    assert sh.ask(web)["spec"]["template"]["spec"]["containers"][0]["image"] == "web:9"


def test_a_verb_that_cannot_be_pressed_overrides_nothing(sh: Shell) -> None:
    sh.ask(fill)
    sh.ask(follow)
    assert sh("undo", "web", "--to-revision", "9", "-n", "shop").code == 3
    assert sh("set", "image", "web", "api=x", "-n", "shop").code == 3
    assert "reconciler.dev/override" not in annotations_of(sh.ask(web))


def test_undo_to_a_revision_that_is_not_there_is_3(sh: Shell) -> None:
    sh.ask(fill)
    ended = sh("undo", "web", "--to-revision", "9", "-n", "shop")
    assert ended.code == 3 and "no revision 9; known: 1, 2" in ended.errors


def test_an_image_is_set(sh: Shell) -> None:
    sh.ask(fill)
    assert sh("set", "image", "web", "web=web:9", "-n", "shop").code == 0
    assert sh.ask(web)["spec"]["template"]["spec"]["containers"][0]["image"] == "web:9"
    assert sh("set", "image", "web", "nonsense", "-n", "shop").code == 2
    assert sh("set", "image", "web", "api=x", "-n", "shop").code == 3


def test_a_run_is_terminated(sh: Shell) -> None:
    sh.ask(begin_run)
    assert sh("terminate", "run", "-n", "shop").code == 0
    assert sh.ask(analysis_run)["spec"] == {"terminate": True}
    missing = sh("terminate", "gone", "-n", "shop")
    assert (missing.code, missing.errors) == (3, "reconciler: no AnalysisRun shop/gone\n")


def test_an_experiment_is_terminated(sh: Shell) -> None:
    sh.ask(begin_experiment)
    assert sh("terminate", "trial", "--experiment", "-n", "shop").code == 0
    assert sh.ask(begun_experiment)["spec"] == {"terminate": True}
    missing = sh("terminate", "trial", "-n", "shop")
    assert (missing.code, missing.errors) == (3, "reconciler: no AnalysisRun shop/trial\n")


async def begin_experiment(client: Client) -> None:
    metadata = {"name": "trial", "namespace": "shop"}
    await client.create(EXPERIMENTS, {"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "metadata": metadata, "spec": {}})


async def begun_experiment(client: Client) -> Manifest:
    return await client.get(EXPERIMENTS, "shop", "trial")


def test_a_verb_on_a_rollout_that_is_not_there_is_3(sh: Shell) -> None:
    for verb in ("promote", "abort", "retry", "pause", "restart", "undo"):
        assert sh(verb, "gone", "-n", "shop").code == 3
