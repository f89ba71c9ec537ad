"""`simulate` on folders that are rendered: the release is one value of a source file, and so is the way back."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from reconciler_sandbox.rehearsal.virtual.folder import load_folder
from reconciler_sandbox.rehearsal.virtual.simulate import Order, simulate

from reconciler.kernel.errors import Terminal
from reconciler.sources.settings import HelmSettings
from tests.kit.desk import SETTINGS
from tests.kit.helm import toy_helm
from tests.kit.layouts import rollout, service

SAMPLE = Path(__file__).resolve().parents[3] / "sample-repo" / "environments" / "demo"
IMAGE = "registry.example.com/shop/web"
KUSTOMIZATION = f"resources: [../../base]\nimages:\n  - name: {IMAGE}\n    newTag: '1.0'  # the bot writes this\n"
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "values.yaml": f"image: {{name: {IMAGE}, tag: dev}}\nother: '1.0'\n",
    "production.yaml": "image: {tag: '1.0'}\n",
    "templates/rollout.yaml": rollout("{{ .Values.image.name }}:{{ .Values.image.tag }}").replace("pause: {}", "pause: {duration: 10}"),
    "templates/service.yaml": service(),
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    return root


def story(tmp_path: Path, version: str, verdict: str) -> Path:
    return write(tmp_path, {"story.yaml": f"releases: [{{version: {version}, verdict: {verdict}}}]"}) / "story.yaml"


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """The sample's web with its analysis as a base, in a repository of its own, and an overlay that names the tag."""
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    for name in ("web/rollout.yaml", "web/network.yaml", "analysis/success-rate.yaml", "ingress/gateway.yaml"):
        (repository / "base").mkdir(exist_ok=True)
        shutil.copy(SAMPLE / name, repository / "base" / Path(name).name)
    listed = ", ".join(sorted(path.name for path in (repository / "base").iterdir()))
    write(repository, {"base/kustomization.yaml": f"resources: [{listed}]\n", "overlays/production/kustomization.yaml": KUSTOMIZATION})
    return repository / "overlays" / "production"


def test_a_kustomization_is_released_by_its_tag_and_restored_there(overlay: Path, tmp_path: Path) -> None:
    (workload,) = load_folder(overlay, "shop").workloads()
    (name,) = workload.released
    assert name == "overlays/production/kustomization.yaml"
    assert workload.released[name].decode() == KUSTOMIZATION.replace("'1.0'", "'simulated'")
    (played,) = simulate(Order(folder=overlay, story=story(tmp_path, "errors", "failed")))
    assert played.wrong == []
    assert (played.verdict, played.git) == ("failed", f"asks for {IMAGE}:1.0; way back: pushed")


def test_the_storefront_of_the_sample_is_proven_along_its_routes(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE.parents[1] / "storefront", tmp_path / "storefront")
    (tmp_path / ".git").mkdir()
    shared = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [success-rate.yaml]\n"
    write(tmp_path, {"analysis/kustomization.yaml": shared})
    shutil.copy(SAMPLE / "analysis" / "success-rate.yaml", tmp_path / "analysis")
    overlay = tmp_path / "storefront" / "overlays" / "demo"
    text = (overlay / "kustomization.yaml").read_text()
    (overlay / "kustomization.yaml").write_text(f"{text}components: [../../../analysis]\n")
    (played,) = simulate(Order(folder=overlay, story=story(tmp_path, "good", "passed")))
    assert played.wrong == []
    assert played.git == "asks for registry.example.com/shop/storefront:simulated"


def test_a_chart_is_rendered_as_its_source_says(tmp_path: Path) -> None:
    chart = write(tmp_path / "charts" / "shop", CHART)
    (tmp_path / ".git").mkdir()
    helm = HelmSettings(program=toy_helm(tmp_path), value_files=("production.yaml",))
    source = replace(SETTINGS, name="shop", path="charts/shop", helm=helm)
    loaded = load_folder(chart, "shop", (source,))
    (workload,) = loaded.workloads()
    assert (workload.image, workload.new_image) == (f"{IMAGE}:1.0", f"{IMAGE}:simulated")
    assert workload.released == {"charts/shop/production.yaml": b"image: {tag: 'simulated'}\n"}
    (played,) = simulate(Order(folder=chart, story=story(tmp_path, "crash", "failed"), sources=(source,)))
    assert played.wrong == []
    assert (played.verdict, played.git) == ("failed", f"asks for {IMAGE}:1.0; way back: pushed")


def test_an_image_that_no_file_says_cannot_be_simulated(tmp_path: Path) -> None:
    chart = write(tmp_path / "shop", CHART)
    (tmp_path / ".git").mkdir()
    helm = HelmSettings(program=toy_helm(tmp_path), assignments={"image.tag": "2.0"})
    with pytest.raises(Terminal, match=r"no value of a file behind it says registry\.example\.com/shop/web:2\.0"):
        list(load_folder(chart, "shop", (replace(SETTINGS, path="shop", helm=helm),)).workloads())
