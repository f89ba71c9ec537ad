"""The shipped policy that compares, under virtual time: a worse canary comes home by its counts, one as good as before is proven."""

from pathlib import Path

import pytest
from reconciler_sandbox.rehearsal.virtual.simulate import Order, Played, simulate

ROOT = Path(__file__).resolve().parents[3]
POLICY = ROOT / "policies" / "compare.yaml"
NETWORK = ROOT / "sample-repo" / "storefront" / "base" / "network.yaml"
ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: storefront, namespace: shop}
spec:
  replicas: 2
  selector:
    matchLabels: {app: storefront}
  template:
    metadata:
      labels: {app: storefront}
    spec:
      containers:
        - name: storefront
          image: registry.example.com/shop/storefront:1.0
          ports:
            - {name: http, containerPort: 8080}
  strategy:
    canary:
      canaryService: storefront-canary
      stableService: storefront
      trafficRouting:
        istio:
          virtualService: {name: storefront, routes: [primary]}
      steps:
        - setWeight: 5
        - pause: {duration: 12m}
        - setWeight: 50
        - pause: {duration: 3m}
"""


def manifests(tmp_path: Path) -> Path:
    """A folder with the storefront, its routes, and the policy that is shipped."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "rollout.yaml").write_text(ROLLOUT)
    (folder / "network.yaml").write_bytes(NETWORK.read_bytes())
    (folder / "policy.yaml").write_bytes(POLICY.read_bytes())
    return folder


def played(tmp_path: Path, version: str, users: int = 50, verdict: str = "any", seed: int = 0) -> Played:
    """One release of the storefront with the policy that is shipped, after a version of which one request in a thousand fails."""
    story = tmp_path / "story.yaml"
    story.write_text(f"releases: [{{version: {version}, before: flawed, users: {users}, verdict: {verdict}}}]")
    [one] = simulate(Order(folder=manifests(tmp_path), story=story, seed=seed))
    return one


def test_a_canary_with_one_percent_errors_beside_a_tenth_of_that_is_brought_home_and_git_is_restored(tmp_path: Path) -> None:
    one = played(tmp_path, "worse", verdict="failed")
    assert one.wrong == []
    assert one.git == "asks for registry.example.com/shop/storefront:1.0; way back: pushed"
    said = "\n".join(moment.text for moment in one.moments)
    assert "errors: " in said and "of the canary beside" in said and "1.5x is tolerated" in said
    assert one.seconds < 15 * 60


def test_a_canary_that_is_as_good_as_before_is_proven_by_what_was_compared(tmp_path: Path) -> None:
    one = played(tmp_path, "flawed", verdict="passed")
    assert one.wrong == []
    assert one.git == "asks for registry.example.com/shop/storefront:simulated"


def test_a_slow_canary_without_an_error_is_brought_home_by_the_bucket(tmp_path: Path) -> None:
    one = played(tmp_path, "slow", verdict="failed")
    assert one.wrong == []
    assert "slow: " in "\n".join(moment.text for moment in one.moments)


def test_a_worse_canary_with_few_requests_is_not_called_proven(tmp_path: Path) -> None:
    """Enough requests by the policy, and too few to be sure."""
    one = played(tmp_path, "worse", users=10, verdict="'not enough evidence'")
    assert one.wrong == []


def test_two_requests_a_second_are_no_evidence(tmp_path: Path) -> None:
    assert played(tmp_path, "worse", users=2, verdict="'not enough evidence'").wrong == []


@pytest.mark.parametrize("version", ["worse", "flawed"])
def test_a_cluster_in_bad_weather_changes_no_verdict(tmp_path: Path, version: str) -> None:
    one = played(tmp_path, version, verdict="failed" if version == "worse" else "passed", seed=5)
    assert one.wrong == []
