"""Field errors in Kubernetes' words (contract 12.1)."""

from reconciler.kernel.problem import InvalidField, Problem, invalid, required, unsupported


def test_values_are_quoted_as_kubernetes_quotes_them() -> None:
    assert str(invalid("a.b", 120, "too much")) == "a.b: Invalid value: 120: too much"
    assert str(invalid("a.b", "x", "wrong")) == 'a.b: Invalid value: "x": wrong'
    assert str(invalid("a.b", True, "wrong")) == "a.b: Invalid value: true: wrong"


def test_missing_and_unserved_fields_say_so() -> None:
    assert str(required("a", "why")) == "a: Required value: why"
    assert str(unsupported("a", "a plugin step")) == "a: Forbidden: a plugin step is not supported yet"
    assert str(Problem("", "alone")) == "alone"
    assert InvalidField(required("a", "why")).problem.field == "a"
