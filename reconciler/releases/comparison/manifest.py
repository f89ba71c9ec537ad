"""The words of `compare` in a policy, strictly (docs/configuration.md)."""

import re
from datetime import timedelta

from reconciler.analysis.arguments import TAG
from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.releases.comparison.terms import Compare, ComparedMetric
from reconciler.releases.share.terms import ShareTerms

HASH, REPLICA_SET = "args.hash", "args.replicaSet"
ARGUMENTS = (HASH, REPLICA_SET, "args.namespace", "args.workload")
SELECTOR = re.compile(r"""[a-zA-Z_:][a-zA-Z0-9_:]*\s*\{(?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*\}""")
BOUND = re.compile(r"""([{,]\s*)le\s*=\s*["'](\d+)(?:\.0)?["']""")
NAME = re.compile(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", re.ASCII)
SECRET = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
ADDRESS = re.compile(r"https?://[^\s/@]+(/\S*)?")
MOST_METRICS = 8
SHORTEST, LONGEST = timedelta(seconds=10), timedelta(minutes=30)
MOST_BUDGET, MOST_EFFECT, MOST_SLACK = 20.0, 100.0, 50.0


def compare_of(fields: StrictFields) -> Compare:
    """How the policy compares. Raises FieldError naming the first wrong field."""
    compare = Compare(
        metrics=_metrics(fields),
        baseline=fields.choice("baseline", ("stable", "previous", "experiment"), "stable"),
        budget=_percent(fields),
        effect=_times(fields),
        every=_window(fields),
        warm_up=fields.duration("warmUp", "1m"),
        minimum_requests=fields.whole("minimumRequests", 500, least=1),
        address=_address(fields),
        secret=fields.matching("secret", SECRET, "the name of a Secret") if fields.raw("secret") is not None else "",
    )
    fields.done()
    return compare


def share_of(fields: StrictFields, compare: Compare | None) -> ShareTerms:
    """How the policy observes the share served; it counts what `compare` counts, where it says nothing else."""
    shared = compare.metrics[0].requests if compare is not None else ""
    terms = ShareTerms(
        requests=_selector(fields, "requests", required=not shared) or shared,
        slack=_quantity(fields, "slack", "2%"),
        every=_window(fields),
        minimum_requests=fields.whole("minimumRequests", 500, least=50),
        address=_address(fields) or (compare.address if compare is not None else ""),
    )
    if terms.slack > MOST_SLACK:
        raise FieldError(fields.path("slack"), f"expected at most {MOST_SLACK:g}%, got {terms.slack:g}%")
    fields.done()
    return terms


def _metrics(fields: StrictFields) -> tuple[ComparedMetric, ...]:
    metrics, path = fields.each("metrics", _metric), fields.path("metrics")
    if not 1 <= len(metrics) <= MOST_METRICS:
        raise FieldError(path, f"expected 1 to {MOST_METRICS} metrics, got {len(metrics)}")
    names = [metric.name for metric in metrics]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise FieldError(path, f"two metrics have the same name {twice!r}")
    return metrics


def _metric(fields: StrictFields) -> ComparedMetric:
    metric = ComparedMetric(
        name=fields.matching("name", NAME, "a name of up to 63 letters, digits, dots, dashes and underscores"),
        requests=_selector(fields, "requests"),
        bad=_selector(fields, "bad", required=False),
        good=_selector(fields, "good", required=False),
    )
    if bool(metric.bad) is bool(metric.good):
        raise FieldError(fields.path("bad"), "write either bad, the counter of bad requests, or good, the counter of all others")
    fields.done()
    return metric


def _selector(fields: StrictFields, name: str, *, required: bool = True) -> str:
    """The selector of one counter: what it gained is worked out by us, exactly, so that no request counts twice."""
    text = fields.text(name, None if required else "").strip()
    if not text:
        if required:
            raise FieldError(fields.path(name), "is required: the selector of a counter")
        return ""
    tags = [tag.strip() for tag in TAG.findall(text)]
    unknown = next((tag for tag in tags if tag not in ARGUMENTS), None)
    if unknown is not None:
        raise FieldError(fields.path(name), f"there is no {{{{{unknown}}}}}; there are {', '.join(ARGUMENTS)}")
    if not SELECTOR.fullmatch(TAG.sub("x", text)):
        raise FieldError(fields.path(name), 'expected the selector of one counter, such as requests_total{code=~"5.."}, and no function')
    if HASH not in tags and REPLICA_SET not in tags:
        told = f"says neither {{{{{HASH}}}}} nor {{{{{REPLICA_SET}}}}}, so both sides would be the same"
        raise FieldError(fields.path(name), told)
    return either_bound(text)


def either_bound(selector: str) -> str:
    """The selector with the whole bound of a bucket as both Prometheus 2 (`500`) and 3 (`500.0`) write it.

    While one is replaced by the other both stand in its history, and a bound that matches nothing counts every request as slow.
    """
    return BOUND.sub(lambda found: f'{found[1]}le=~"{found[2]}([.]0)?"', selector)


def _percent(fields: StrictFields) -> float:
    found = _quantity(fields, "budget", "1%")
    if not 0 < found <= MOST_BUDGET:
        raise FieldError(fields.path("budget"), f"expected more than 0% and at most {MOST_BUDGET:g}%, got {found:g}%")
    return found / 100


def _times(fields: StrictFields) -> float:
    found = _quantity(fields, "effect", "1.5x")
    if not 1 <= found <= MOST_EFFECT:
        raise FieldError(fields.path("effect"), f"expected 1x to {MOST_EFFECT:g}x, got {found:g}x")
    return found


def _quantity(fields: StrictFields, name: str, default: str) -> float:
    """A number with its unit, which is the default's."""
    text, unit = fields.text(name, default), default[-1]
    match = re.fullmatch(rf"(\d{{1,6}}(?:\.\d{{1,6}})?){unit}", text, re.ASCII)
    if match is None:
        raise FieldError(fields.path(name), f"{text!r} is not a number with {unit}; write for example {default}")
    return float(match[1])


def _address(fields: StrictFields) -> str:
    found = fields.text("address", "")
    if found and not ADDRESS.fullmatch(found):
        raise FieldError(fields.path("address"), "expected the address of a Prometheus, such as http://prometheus:9090")
    return found


def _window(fields: StrictFields) -> timedelta:
    found = fields.duration("every", "1m")
    if not SHORTEST <= found <= LONGEST:
        raise FieldError(fields.path("every"), f"expected 10s to 30m, got {found.total_seconds():g}s")
    return found
