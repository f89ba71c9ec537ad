"""What another edition decides: each difference by its place, then and now."""

from reconciler.views.replanned import MOST, Replanned, differences


def record(name: str, **fields: object) -> dict[str, object]:
    return {"!": f"reconciler.plan:{name}", "fields": fields}


def test_the_same_plan_has_no_difference() -> None:
    plan = record("Plan", effects=[record("Scale", to=3)], wake={"!": "moment", "value": "2026"})
    assert list(differences(plan, dict(plan))) == []


def test_a_difference_says_where_then_and_now() -> None:
    then, now = record("Plan", status={"weight": 20, "gone": 1}), record("Plan", status={"weight": 30, "new": [1]})
    assert list(differences(then, now)) == ["status.gone: 1 -> nothing", "status.new: nothing -> [1]", "status.weight: 20 -> 30"]


def test_another_effect_in_its_place_is_a_difference() -> None:
    then = {"!": "tuple", "items": [record("Scale", to=3)]}
    now = {"!": "tuple", "items": [record("Delete", to=3), record("Scale", to=3)]}
    assert list(differences(then, now)) == ["[0].is: Scale -> Delete", "[1]: nothing -> {'is': 'Scale', 'to': 3}"]


def test_many_differences_are_counted_and_a_problem_is_said() -> None:
    many = Replanned("9:00", "rollout", "shop/web", tuple(f"line {n}" for n in range(MOST + 3)))
    assert list(many.lines())[-1] == "  and 3 more" and not many.same
    assert list(Replanned("9:00", "rollout", "shop/web", problem="no class").lines())[1] == "  cannot be planned again: no class"
    assert Replanned("9:00", "rollout", "shop/web").same
