"""Binary operators: arithmetic, comparisons, set operators, and which sample of one side meets which of the other."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reconciler_sandbox.metrics.labels import NAME, Labels, drop, keep, labels, nameless, text, value_of
from reconciler_sandbox.metrics.promql.functions import distinct
from reconciler_sandbox.metrics.promql.values import BadQuery, ExecutionFailed, Sample, Value, Vector


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors meet: by the labels of `on` (or all but those of `ignoring`); `many` is the side of group_left or group_right."""

    labels: tuple[str, ...] = ()
    on: bool = False
    many: str = ""
    include: tuple[str, ...] = ()
    returns_bool: bool = False

    def key(self, label_set: Labels) -> Labels:
        return keep(label_set, self.labels) if self.on else drop(label_set, (*self.labels, NAME))


def combine(operator: str, left: Value, right: Value, matching: Matching) -> Value:
    """The value of one binary expression; raises ExecutionFailed if the match is ambiguous."""
    if isinstance(left, float) and isinstance(right, float):
        return _number(operator, left, right)
    if isinstance(left, float):
        return _with_scalar(operator, _vector(right), left, matching, scalar_first=True)
    if isinstance(right, float):
        return _with_scalar(operator, _vector(left), right, matching, scalar_first=False)
    if operator in SETS:
        return SETS[operator](_vector(left), _vector(right), matching)
    return _meet(operator, _vector(left), _vector(right), matching)


def _number(operator: str, left: float, right: float) -> float:
    if operator in ARITHMETIC:
        return ARITHMETIC[operator](left, right)
    return float(_compares(operator, left, right))


def _compares(operator: str, left: float, right: float) -> bool:
    if operator not in COMPARISONS:
        raise BadQuery(f'unsupported operator "{operator}"')
    return COMPARISONS[operator](left, right)


def _with_scalar(operator: str, vector: Vector, scalar: float, matching: Matching, *, scalar_first: bool) -> Vector:
    found: Vector = []
    for sample in vector:
        left, right = (scalar, sample.value) if scalar_first else (sample.value, scalar)
        if operator in ARITHMETIC or matching.returns_bool:
            found.append(Sample(nameless(sample.labels), _number(operator, left, right)))
        elif _compares(operator, left, right):
            found.append(sample)
    return distinct(found)


def _meet(operator: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """One-to-one, or many-to-one with the labels of the many side."""
    if not left or not right:
        return []
    many, one = (right, left) if matching.many == "right" else (left, right)
    partners = _partners(one, matching)
    met: set[Labels] = set()
    found: Vector = []
    for sample in many:
        key = matching.key(sample.labels)
        if key not in partners:
            continue
        partner = partners[key]
        pair = (partner.value, sample.value) if matching.many == "right" else (sample.value, partner.value)
        result = _pair(operator, pair, matching.returns_bool)
        if result is None:
            continue
        if not matching.many and key in met:
            raise ExecutionFailed("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
        met.add(key)
        found.append(Sample(_result_labels(operator, sample.labels, partner.labels, matching), result))
    return _grouped(found, matching)


def _grouped(found: Vector, matching: Matching) -> Vector:
    if matching.many and len({sample.labels for sample in found}) != len(found):
        raise ExecutionFailed("multiple matches for labels: grouping labels must ensure unique matches")
    return distinct(found)


def _partners(one: Vector, matching: Matching) -> dict[Labels, Sample]:
    side = "left" if matching.many == "right" else "right"
    partners: dict[Labels, Sample] = {}
    for sample in one:
        key = matching.key(sample.labels)
        if key in partners:
            pair = f"[{text(sample.labels)}, {text(partners[key].labels)}]"
            raise ExecutionFailed(
                f"found duplicate series for the match group {text(key)} on the {side} hand-side of the operation: {pair}"
                ";many-to-many matching not allowed: matching labels must be unique on one side"
            )
        partners[key] = sample
    return partners


def _pair(operator: str, pair: tuple[float, float], returns_bool: bool) -> float | None:
    if operator in ARITHMETIC or returns_bool:
        return _number(operator, *pair)
    return pair[0] if _compares(operator, *pair) else None


def _result_labels(operator: str, many: Labels, one: Labels, matching: Matching) -> Labels:
    result = nameless(many) if operator in ARITHMETIC or matching.returns_bool else many
    if not matching.many:
        result = keep(result, matching.labels) if matching.on else drop(result, matching.labels)
    included = {name: value_of(one, name) for name in matching.include}
    return labels({**dict(result), **included}) if included else result


def _both(left: Vector, right: Vector, matching: Matching) -> Vector:
    keys = {matching.key(sample.labels) for sample in right}
    return [sample for sample in left if matching.key(sample.labels) in keys]


def _either(left: Vector, right: Vector, matching: Matching) -> Vector:
    keys = {matching.key(sample.labels) for sample in left}
    return distinct([*left, *(sample for sample in right if matching.key(sample.labels) not in keys)])


def _without(left: Vector, right: Vector, matching: Matching) -> Vector:
    keys = {matching.key(sample.labels) for sample in right}
    return [sample for sample in left if matching.key(sample.labels) not in keys]


def divide(left: float, right: float) -> float:
    """IEEE division: x/0 is an infinity with the signs multiplied, 0/0 is NaN."""
    if right:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def remainder(left: float, right: float) -> float:
    """With the sign of the dividend; NaN for x % 0 and Inf % x."""
    return math.fmod(left, right) if right and not math.isinf(left) else math.nan


def power(left: float, right: float) -> float:
    """Real powers only: a negative number to a fraction is NaN."""
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and math.fmod(right, 2) else math.inf
    except ValueError:
        return math.copysign(math.inf, left) if left == 0 and math.fmod(right, 2) in (1, -1) else (math.inf if left == 0 else math.nan)


def _vector(value: Value) -> Vector:
    assert isinstance(value, list)
    return [sample for sample in value if isinstance(sample, Sample)]


ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": divide,
    "%": remainder,
    "^": power,
    "atan2": math.atan2,
}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}
SETS: Mapping[str, Callable[[Vector, Vector, Matching], Vector]] = {"and": _both, "or": _either, "unless": _without}
OPERATORS: Sequence[str] = (*ARITHMETIC, *COMPARISONS, *SETS)
