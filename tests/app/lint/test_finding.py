"""A finding reads as `file:line:column: severity: object: field: message; suggestion`."""

from reconciler.app.lint.finding import Finding, Severity


def test_a_finding_starts_with_the_place_that_editors_jump_to() -> None:
    finding = Finding(Severity.ERROR, "web.yaml", 7, "Rollout shop/web", "spec.replicas", "must be a number")
    assert str(finding) == "web.yaml:7: error: Rollout shop/web: spec.replicas: must be a number"


def test_a_finding_ends_with_what_to_write() -> None:
    finding = Finding(Severity.ERROR, "web.yaml", 7, "Rollout shop/web", "spec.replcas", "unknown field", 3, "did you mean replicas?")
    assert str(finding) == "web.yaml:7:3: error: Rollout shop/web: spec.replcas: unknown field; did you mean replicas?"


def test_what_concerns_a_whole_file_names_no_object() -> None:
    assert str(Finding(Severity.ERROR, "web.yaml", 0, "", "", "not YAML")) == "web.yaml: error: not YAML"
