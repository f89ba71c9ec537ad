"""From references to templates to the spec of one run, and what is wrong with such references (contract 6.3, 12.3)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.analysis.arguments import PLACEHOLDER, Unresolved, literals, merge_arguments, substitute
from reconciler.analysis.model import RunKind
from reconciler.kernel.identity import Manifest, name_of

CLUSTER = "ClusterAnalysisTemplate"
NAMESPACED = "AnalysisTemplate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """The spec of a run before its arguments get their values, in the manifests' own words."""

    metrics: tuple[Manifest, ...] = ()
    arguments: tuple[Manifest, ...] = ()
    dry_run: tuple[Manifest, ...] = ()
    retention: tuple[Manifest, ...] = ()


class InvalidTemplates(Exception):
    """The templates of an analysis do not go together; the message says why."""


def combine(templates: Sequence[Manifest], analysis: Manifest) -> Combined | str:
    """One spec out of all templates an analysis names, directly or through others; a text when they do not go together."""
    try:
        specs = [template.get("spec") or {} for template in referenced(templates, analysis)]
        return Combined(
            metrics=_metrics(specs),
            arguments=_arguments(specs),
            dry_run=_rules([analysis, *specs], "dryRun", "Dry-Run metric"),
            retention=_rules([analysis, *specs], "measurementRetention", "Measurement Retention metric"),
        )
    except InvalidTemplates as error:
        return str(error)


def referenced(templates: Sequence[Manifest], analysis: Manifest) -> tuple[Manifest, ...]:
    """The named templates and those they name, each once: namespaced ones first, then cluster ones. Raises InvalidTemplates."""
    known = {(str(template.get("kind")), name_of(template)): template for template in templates}

    def look_up(kind: str, name: str) -> Manifest:
        if (kind, name) not in known:
            raise InvalidTemplates(f"{kind} '{name}' not found")
        return known[kind, name]

    return tuple(sorted(reachable([analysis], look_up), key=lambda template: template.get("kind") == CLUSTER))


def reachable(analyses: Iterable[Manifest], look_up: Callable[[str, str], Manifest | None]) -> tuple[Manifest, ...]:
    """The templates that analyses name, directly or through others, each once; what is not there is left out.

    `look_up` answers by kind and name.
    """
    found: dict[tuple[str, str], Manifest | None] = {}
    waiting = [place for analysis in analyses for place in _references(analysis)]
    while waiting:
        place = waiting.pop(0)
        if place in found:
            continue
        template = found[place] = look_up(*place)
        waiting += _references((template or {}).get("spec") or {})
    return tuple(template for template in found.values() if template is not None)


def _references(owner: Manifest) -> list[tuple[str, str]]:
    references = owner.get("templates") or []
    return [(CLUSTER if ref.get("clusterScope") else NAMESPACED, str(ref.get("templateName") or "")) for ref in references]


def _metrics(specs: Iterable[Manifest]) -> tuple[Manifest, ...]:
    metrics = [metric for spec in specs for metric in spec.get("metrics") or []]
    twice = _repeated(str(metric.get("name", "")) for metric in metrics)
    if twice is not None:
        raise InvalidTemplates(f"two metrics have the same name '{twice}'")
    return tuple(metrics)


def _arguments(specs: Iterable[Manifest]) -> tuple[Manifest, ...]:
    merged: dict[str, Manifest] = {}
    for argument in (argument for spec in specs for argument in spec.get("args") or []):
        name = str(argument.get("name", ""))
        merged[name] = _joined(merged[name], argument) if name in merged else argument
    return tuple(merged.values())


def _joined(one: Manifest, other: Manifest) -> Manifest:
    """One declaration out of two of the same name: what one leaves open the other fills."""
    values = [argument["value"] for argument in (one, other) if argument.get("value") is not None]
    if len(values) == 2 and values[0] != values[1]:
        name = one.get("name")
        raise InvalidTemplates(f"Argument `{name}` specified multiple times with different values: '{values[0]}', '{values[1]}'")
    filled = {key: value for argument in (other, one) for key, value in argument.items() if value is not None}
    return {key: filled[key] for key in ("name", "value", "valueFrom") if key in filled}


def _rules(owners: Iterable[Manifest], member: str, words: str) -> tuple[Manifest, ...]:
    rules = [rule for owner in owners for rule in owner.get(member) or []]
    twice = _repeated(str(rule.get("metricName", "")) for rule in rules)
    if twice is not None:
        raise InvalidTemplates(f"two {words} rules have the same name '{twice}'")
    return tuple(rules)


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def validate_references(*, rollout: Manifest, kind: str, analysis: Manifest, templates: Sequence[Manifest]) -> str | None:
    """The first thing wrong with the templates and arguments of one analysis of a rollout (contract 12.3); `kind` is a `RunKind`."""
    try:
        found = referenced(templates, analysis)
    except InvalidTemplates as error:
        return str(error)
    problems = (_template_problem(template, kind, analysis) for template in found)
    problem = next((words for words in problems if words), None)
    if problem:
        return problem
    combined = combine(templates, analysis)
    return combined if isinstance(combined, str) else _argument_problem(combined, analysis, rollout)


def _template_problem(template: Manifest, kind: str, analysis: Manifest) -> str | None:
    declared = (template.get("spec") or {}).get("args") or []
    if kind != RunKind.BACKGROUND:
        return _endless(template, declared)
    given = {argument.get("name") for argument in analysis.get("args") or []}
    open_ones = [argument for argument in declared if argument.get("value") is None and not argument.get("valueFrom")]
    missing = any(argument.get("name") not in given for argument in open_ones)
    return "missing analysis arguments in rollout spec" if missing else None


def _endless(template: Manifest, arguments: Sequence[Manifest]) -> str | None:
    """A rollout waits for these analyses, so each metric must come to an end by itself."""
    name = name_of(template)
    for argument in arguments:
        if argument.get("value") is not None and argument.get("valueFrom"):
            return f"AnalysisTemplate {name}: arg '{argument.get('name')}' has both Value and ValueFrom fields"
    values: Mapping[str, str | None] = {str(a.get("name")): str(a.get("value") or PLACEHOLDER) for a in arguments}
    try:
        metrics = substitute((template.get("spec") or {}).get("metrics") or [], values)
    except Unresolved as error:
        return f"AnalysisTemplate {name}: {error}"
    for metric in metrics:
        if metric.get("interval") and str(metric.get("count") or 0) == "0":
            return f"AnalysisTemplate {name} has metric {metric.get('name')} which runs indefinitely. Invalid value for count: <nil>"
    return None


def _argument_problem(combined: Combined, analysis: Manifest, rollout: Manifest) -> str | None:
    try:
        given = literals(analysis.get("args") or [], rollout, {})
        merge_arguments(given, combined.arguments)
    except Unresolved as error:
        return str(error)
    return None
