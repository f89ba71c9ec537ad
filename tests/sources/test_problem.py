"""Problems as people read them."""

from reconciler.sources.problem import Reason, RecordedProblem


def test_a_problem_names_place_object_words_and_remedy() -> None:
    problem = RecordedProblem(reason=Reason.REFUSED, file="a.yaml", line=3, object="ConfigMap shop/a", message="no", remedy="mend it")
    assert str(problem) == "a.yaml:3: ConfigMap shop/a: no; mend it"
    assert str(RecordedProblem(reason=Reason.UNREACHABLE, message="gone", retried=True)) == "gone (tried again with growing pauses)"


def test_an_object_is_not_named_twice() -> None:
    problem = RecordedProblem(reason=Reason.NOT_ALLOWED, file="a.yaml", object="ConfigMap x/a", message="ConfigMap x/a: not allowed")
    assert str(problem) == "a.yaml: ConfigMap x/a: not allowed"
