"""Places are written as people write them."""

from reconciler.git.objects import SourceProblem
from reconciler.sources.image import Image
from reconciler.sources.model import FieldLocation, WorkloadId


def test_a_place_reads_like_a_path() -> None:
    assert str(FieldLocation("a.yaml", 0, ("spec", "containers", 0, "image"), 3, 5)) == "a.yaml:3 spec.containers[0].image"


def test_a_problem_says_where_what_and_what_to_do() -> None:
    assert str(SourceProblem("a.yaml", 3, "not YAML", "correct it")) == "a.yaml:3: not YAML; correct it"
    assert str(SourceProblem("a.yaml", 0, "too large", "split it")) == "a.yaml: too large; split it"


def test_a_workload_without_namespace_is_named_without_one() -> None:
    assert str(WorkloadId("Rollout", "", "web")) == "Rollout web"


def test_latest_is_for_comparing_only() -> None:
    image = Image("docker.io", "library/nginx")
    assert (image.effective_tag, str(image)) == ("latest", "docker.io/library/nginx")
    tagged, pinned = Image("docker.io", "library/nginx", "1.2"), Image("docker.io", "library/nginx", "", "sha256:x")
    assert (tagged.effective_tag, pinned.effective_tag) == ("1.2", "")
