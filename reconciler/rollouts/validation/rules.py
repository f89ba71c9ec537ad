"""Rules that several strategies share (contract 12.2)."""

import json
import re
from collections.abc import Iterator, Mapping

from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import Problem, invalid

METADATA_PATH = re.compile(r"metadata\.(name|namespace|uid|labels|annotations|(labels|annotations)\['[^']+'\])")
PREFERRED, REQUIRED = "preferredDuringSchedulingIgnoredDuringExecution", "requiredDuringSchedulingIgnoredDuringExecution"
NON_NEGATIVE = "must be greater than or equal to 0"


def negative_problems(numbers: Mapping[str, int]) -> Iterator[Problem]:
    return (invalid(field, value, NON_NEGATIVE) for field, value in numbers.items() if value < 0)


def same_services(field: str, value: str, one: str, other: str) -> Problem:
    text = f"This rollout uses the same service for the {one} and {other} services, but two different services are required."
    return invalid(field, value, text)


def affinity_problems(field: str, rule: Manifest | None) -> Iterator[Problem]:
    """Exactly one of the two kinds; a weight between 1 and 100."""
    if rule is None:
        return
    kinds = [kind for kind in (PREFERRED, REQUIRED) if rule.get(kind) is not None]
    if len(kinds) != 1:
        yield invalid(field, json.dumps(rule), "AntiAffinity must have exactly one strategy listed")
    preferred = rule.get(PREFERRED)
    if preferred is not None and not 1 <= int(preferred.get("weight", 0)) <= 100:
        yield invalid(f"{field}.weight", preferred.get("weight", 0), "AntiAffinity weight must be between 1-100")


def argument_problems(field: str, rollout: Manifest, analysis: Manifest) -> Iterator[Problem]:
    """A fieldRef into the metadata must be one the downward API knows (contract 6.2)."""
    for index, argument in enumerate(analysis.get("args") or ()):
        source = argument.get("valueFrom") or {}
        path = str((source.get("fieldRef") or {}).get("fieldPath", ""))
        if path.startswith("metadata") and not METADATA_PATH.fullmatch(path):
            yield invalid(f"{field}.args[{index}].valueFrom.fieldRef.fieldPath", path, "is no field of the downward API")
