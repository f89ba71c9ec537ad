"""Policies promise only what can be kept."""

from reconciler.app.lint.finding import Severity
from tests.kit.lint import POLICY, ROLLOUT, found, spoiled

DEPLOYMENT = ROLLOUT.partition("  strategy:")[0].replace("argoproj.io/v1alpha1", "apps/v1").replace("Rollout", "Deployment")
ADOPTING = """\
apiVersion: reconciler.dev/v1alpha1
kind: ReleasePolicy
metadata: {name: web, namespace: shop}
spec:
  workloads:
    - {kind: Deployment, name: web}
  rollout:
    strategy:
      canary:
        steps:
          - setWeight: 50
"""
ADOPTED = {"rollout.yaml": "", "routes.yaml": "", "template.yaml": "", "deployment.yaml": DEPLOYMENT}


def test_an_unknown_word_is_told_on_its_line() -> None:
    finding = spoiled("policy.yaml", "    window: 1m", "    window: 1m\n    keepStable: true")
    assert (finding.file, finding.line, finding.field) == ("policy.yaml", 9, "spec.afterPromotion.keepStable")


def test_watching_after_promotion_and_a_shrinking_stable_side_are_refused_together() -> None:
    findings = found({"rollout.yaml": ROLLOUT.replace("    canary:\n", "    canary:\n      dynamicStableScale: true\n")})
    assert [(f.file, f.line, f.severity) for f in findings] == [("policy.yaml", 7, Severity.ERROR)]
    assert "dynamicStableScale of Rollout web" in findings[0].message


COMPARING = """  compare:
    metrics:
      - name: errors
        requests: requests{v="{{args.hash}}"}
        bad: requests{v="{{args.hash}}",code="500"}
"""


def test_a_rollout_that_moves_all_users_at_once_cannot_be_compared() -> None:
    policy = POLICY.partition("  afterPromotion")[0] + COMPARING
    blue_green = ROLLOUT.partition("    canary:\n")[0] + "    blueGreen: {activeService: web, previewService: web-canary}\n"
    findings = found({"policy.yaml": policy, "rollout.yaml": blue_green})
    assert [f.field for f in findings if f.file == "policy.yaml"] == ["spec.compare"]
    assert "blue/green Rollout web" in next(f.message for f in findings if f.file == "policy.yaml")
    assert not [f for f in found({"policy.yaml": policy}) if f.file == "policy.yaml"]


def test_a_selector_that_compares_a_side_with_itself_is_told_on_its_line() -> None:
    policy = POLICY.partition("  afterPromotion")[0] + COMPARING.replace('{v="{{args.hash}}",code="500"}', '{code="500"}')
    [finding] = [f for f in found({"policy.yaml": policy}) if f.file == "policy.yaml"]
    assert (finding.field, finding.line) == ("spec.compare.metrics[0].bad", 11)


def test_a_workload_that_is_not_there_is_told() -> None:
    assert spoiled("policy.yaml", "kind: Rollout, name: web", "kind: Rollout, name: wbe").field == "spec.workloads[0].name"


def test_two_policies_for_one_workload_are_told_with_both_names() -> None:
    findings = found({"second.yaml": POLICY.replace("name: web, namespace", "name: second, namespace")})
    assert [f.message for f in findings] == ["Rollout web also claimed by ReleasePolicy web (policy.yaml:1)"]


def test_an_argument_missing_from_the_watch_is_told() -> None:
    finding = spoiled("policy.yaml", "      args:\n        - {name: service, value: web}\n", "")
    assert (finding.field, finding.message) == ("spec.afterPromotion.analysis", "args.service was not resolved")


def test_a_strategy_for_plain_deployments_obeys_the_rules_of_rollouts() -> None:
    assert found({**ADOPTED, "policy.yaml": ADOPTING}) == []
    findings = found({**ADOPTED, "policy.yaml": ADOPTING.replace("50", "150")})
    assert [(f.file, f.line, f.field) for f in findings] == [("policy.yaml", 11, "spec.rollout.strategy.steps[0].setWeight")]


def test_a_strategy_is_looked_at_without_its_deployment_too() -> None:
    alone = {**ADOPTED, "deployment.yaml": "", "services.yaml": "", "policy.yaml": ADOPTING.replace("50", "150")}
    findings = found(alone, whole=False)
    assert [f.field for f in findings if f.severity is Severity.ERROR] == ["spec.rollout.strategy.steps[0].setWeight"]


def test_a_deployment_that_already_has_a_rollout_is_not_adopted() -> None:
    findings = found({"policy.yaml": ADOPTING, "deployment.yaml": DEPLOYMENT})
    assert [f.field for f in findings] == ["spec.rollout"]
