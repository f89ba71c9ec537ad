"""What is wrong with an AnalysisTemplate: its metrics, their conditions, and the arguments they use (contract 6.1 to 6.9)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from reconciler.analysis.arguments import TAG, Unresolved, substitute
from reconciler.analysis.manifest import InvalidMetric, parse_metrics
from reconciler.analysis.model import PLUGIN, Metric, Retention
from reconciler.analysis.provider import Parsing
from reconciler.analysis.validate import InvalidAnalysis, rehearsed, retained, validate
from reconciler.app.lint.finding import Remark, Remarks, Severity
from reconciler.app.lint.library import Library
from reconciler.app.lint.powerless import powerless_remarks
from reconciler.app.lint.rollouts import missing_templates
from reconciler.expr.checks import check
from reconciler.expr.evaluate import holds
from reconciler.expr.syntax import ExpressionError, parse
from reconciler.expr.values import Value
from reconciler.kernel.identity import Manifest, namespace_of
from reconciler.providers.registry import ProviderRow, installed

CONDITIONS = ("successCondition", "failureCondition")
SPANS = ("interval", "initialDelay")
NUMBERS = ("count", "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit", "consecutiveFailureLimit")
FILLER = "1"
"""Stands for an argument that only the Rollout knows: reads as a number and inside a text alike."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def template_remarks(manifest: Manifest, library: Library) -> Remarks:
    """Every broken rule of one template."""
    spec = manifest.get("spec") or {}
    yield from missing_templates("spec", spec, namespace_of(manifest), library)
    yield from _arguments(spec.get("args") or ())
    metrics = spec.get("metrics") or []
    if not metrics and not spec.get("templates"):
        yield Remark("spec.metrics", "no metrics: write at least one, or name templates that have some")
        return
    filled = tuple(_filled(metrics, spec.get("args") or ()))
    yield from (filling for filling in filled if isinstance(filling, Remark))
    broken = tuple(_metrics(spec, [metric for metric in filled if isinstance(metric, dict)]))
    yield from broken
    if not broken:
        yield from _powerless(spec, filled)


def _powerless(spec: Manifest, filled: Sequence[Manifest | Remark]) -> Remarks:
    """What metrics cannot do; one that only rehearses is not there to fail."""
    rehearsing = _rehearsing(spec, [metric for metric in filled if isinstance(metric, dict)])
    for index, (written, metric) in enumerate(zip(spec.get("metrics") or (), filled, strict=True)):
        if isinstance(metric, dict) and metric.get("name") not in rehearsing:
            yield from powerless_remarks(f"spec.metrics[{index}]", written, metric)


def _rehearsing(spec: Manifest, metrics: Sequence[Manifest]) -> frozenset[str]:
    try:
        return rehearsed([str(rule.get("metricName") or "") for rule in spec.get("dryRun") or ()], parse_metrics(tuple(metrics)))
    except (InvalidAnalysis, InvalidMetric):
        return frozenset()  # told by the rules below


def _arguments(arguments: Sequence[Manifest]) -> Remarks:
    seen: set[str] = set()
    for index, argument in enumerate(arguments):
        name, field = str(argument.get("name") or ""), f"spec.args[{index}]"
        if not name:
            yield Remark(f"{field}.name", "is required")
        if name in seen:
            yield Remark(f"{field}.name", f"argument {name} is declared twice")
        if argument.get("value") is not None and argument.get("valueFrom"):
            yield Remark(field, "has both value and valueFrom: keep one of them")
        seen.add(name)


def _filled(metrics: Sequence[Manifest], arguments: Sequence[Manifest]) -> Iterator[Manifest | Remark]:
    """Each metric with its arguments filled in, as far as the template knows them, or what keeps it from that."""
    values = {str(a.get("name")): str(a["value"]) if a.get("value") is not None else FILLER for a in arguments}
    unknown = {str(a.get("name")) for a in arguments if a.get("value") is None}
    for index, metric in enumerate(metrics):
        try:
            yield substitute([_measurable(metric, unknown)], values)[0]
        except Unresolved as error:
            declared = f"declared here: {', '.join(sorted(values)) or 'none'}"
            yield Remark(f"spec.metrics[{index}]", f"{error}: no such argument; {declared}")


def _measurable(metric: Manifest, unknown: set[str]) -> Manifest:
    """The metric without numbers that only a Rollout knows; spans of that kind become a second."""
    dropped = {name for name in NUMBERS if _uses(metric.get(name), unknown)}
    spans = {name: "1s" for name in SPANS if _uses(metric.get(name), unknown)}
    return {**{name: value for name, value in metric.items() if name not in dropped}, **spans}


def _uses(value: Any, names: set[str]) -> bool:
    return isinstance(value, str) and any(tag.strip().removeprefix("args.") in names for tag in TAG.findall(value))


def _metrics(spec: Manifest, manifests: Sequence[Manifest]) -> Remarks:
    try:
        metrics = parse_metrics(tuple(manifests))
    except InvalidMetric as error:
        yield _placed(str(error))
        return
    rows = installed()
    named = {metric.kind for metric in metrics if metric.kind.startswith(PLUGIN)}
    problem = validate(metrics, {*rows, *named}) if metrics else None
    if problem is not None:
        yield _placed(problem)
    written = _part_filled(spec)
    asked = {str(metric.get("name")): metric.get("provider") for metric in written if isinstance(metric, dict)}
    for index, metric in enumerate(manifests):
        yield from _metric(f"spec.metrics[{index}]", metric, _result_like(rows, asked.get(str(metric.get("name")))))
    for index, metric in enumerate(written):
        yield from _provider(rows, f"spec.metrics[{index}].provider", metric.get("provider") if isinstance(metric, dict) else None)
    yield from _rules(spec, metrics)


def _part_filled(spec: Manifest) -> list[Any]:
    """The metrics with the arguments in place that the template knows; others stand as they were written."""
    known = {str(a.get("name")): a.get("value") for a in spec.get("args") or ()}
    values = {name: f"{{{{args.{name}}}}}" if value is None else str(value) for name, value in known.items()}
    return [_filled_if_declared(metric, values) for metric in spec.get("metrics") or ()]


def _filled_if_declared(metric: Any, values: Mapping[str, str]) -> Any:
    try:
        return substitute([metric], values)[0]
    except Unresolved:
        return metric  # told by the rule for arguments


def _parsing(rows: Mapping[str, ProviderRow], provider: Any) -> Iterator[tuple[Parsing, Manifest]]:
    for kind, config in (provider if isinstance(provider, dict) else {}).items():
        row = rows.get(kind)
        if row is not None and isinstance(row.checks, Parsing) and isinstance(config, dict):
            yield row.checks, config


def _result_like(rows: Mapping[str, ProviderRow], provider: Any) -> Value:
    return next((checks.result_like(config) for checks, config in _parsing(rows, provider)), None)


def _placed(problem: str) -> Remark:
    """A message that starts with the metric's place, as the contract writes it (contract 6.8)."""
    place, colon, words = problem.partition(": ")
    return Remark(f"spec.{place}", words) if colon and place.startswith("metrics[") else Remark("spec.metrics", problem)


def _metric(field: str, metric: Manifest, result: Value) -> Remarks:
    if not metric.get("name"):
        yield Remark(f"{field}.name", "is required")
    for name in CONDITIONS:
        if metric.get(name):
            yield from _condition(f"{field}.{name}", str(metric[name]), result)


def _provider(rows: Mapping[str, ProviderRow], field: str, provider: Any) -> Remarks:
    """What the providers themselves find wrong; what depends on an argument only the run can tell."""
    for checks, config in _parsing(rows, provider):
        for one in checks.unparsed(config):
            severity = Severity.ERROR if one.sure else Severity.WARNING
            yield Remark(f"{field}.{one.problem.field}", one.problem.detail, severity)
    for kind, config in (provider if isinstance(provider, dict) else {}).items():
        if kind == PLUGIN.strip() and isinstance(config, dict):
            yield from (remark for name, own in config.items() for remark in _plugin(rows, field, str(name), own))
        elif kind in rows and isinstance(config, dict | None):
            found = rows[kind].checks.problems(config or {})
            yield from (Remark(f"{field}.{one.field}", one.detail) for one in found if not TAG.search(str(_at(config, one.field))))


def _plugin(rows: Mapping[str, ProviderRow], field: str, name: str, config: Any) -> Remarks:
    """What a plug-in finds wrong that is installed here; where the daemon runs there may be others."""
    row = rows.get(f"{PLUGIN}{name}")
    if row is None:
        told = "not checked: the plug-in is not installed here; where the daemon runs it has to be"
        yield Remark(f"{field}.plugin.{name}", told, Severity.NOTE)
    elif isinstance(config, dict | None) and not TAG.search(str(config)):
        yield from (Remark(f"{field}.{one.field}", one.detail) for one in row.checks.problems(config or {}))


def _at(config: Any, field: str) -> Any:
    """What stands at a field that begins with the provider's key, as far as it is there."""
    for name in field.split(".")[1:]:
        config = config.get(name) if isinstance(config, dict) else None
    return config


def _condition(field: str, text: str, result: Value) -> Remarks:
    """What the reference refuses without evaluating, of any result and then of one as the provider will answer."""
    try:
        tree = parse(text)
        check(tree, None)
    except ExpressionError as error:
        yield Remark(field, f"cannot be read as a condition: {error}")
        return
    try:
        check(tree, result)
        if isinstance(result, float):  # an index into a number is seen by evaluation only
            holds(text, result, EPOCH)
    except ExpressionError as error:
        answers, write = ("a list of numbers", "result[0]") if isinstance(result, list) else ("one number", "result")
        yield Remark(field, f"is an error at each measurement: the query answers {answers}: {error}", suggestion=f"write {write}")


def _rules(spec: Manifest, metrics: tuple[Metric, ...]) -> Remarks:
    """Rules that mean no metric; with templates inside templates the metrics may be theirs."""
    if spec.get("templates") or not metrics:
        return
    try:
        rehearsed([str(rule.get("metricName") or "") for rule in spec.get("dryRun") or ()], metrics)
    except InvalidAnalysis as error:
        yield Remark("spec.dryRun", str(error))
    try:
        retained([Retention(str(rule.get("metricName") or ""), 1) for rule in spec.get("measurementRetention") or ()], metrics)
    except InvalidAnalysis as error:
        yield Remark("spec.measurementRetention", str(error))
