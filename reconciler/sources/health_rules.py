"""When objects of a kind are healthy, as the settings of a source say it in the language of conditions. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.expr.checks import check
from reconciler.expr.evaluate import holds
from reconciler.expr.syntax import ExpressionError, parse
from reconciler.kernel.identity import Manifest
from reconciler.kernel.text import shortened
from reconciler.sources.kinds import group_of
from reconciler.sources.settings import HealthRule

TIME = re.compile(r"\bnow\s*\(")
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Rules do not know the time: an object is looked at when it changes."""
LONGEST = 200


@dataclass(frozen=True, slots=True)
class RuledHealth:
    """What a rule says of an object; neither while it is on its way. `words` say why it is not healthy."""

    healthy: bool = False
    degraded: bool = False
    words: str = ""


def misread(condition: str) -> str:
    """What is wrong with a condition, as far as that can be said without an object; empty for one that may be asked."""
    if TIME.search(condition):
        return "asks for the time, but an object is looked at when it changes: compare what its status says"
    try:
        check(parse(condition), {})
    except ExpressionError as error:
        return f"is no condition: {shortened(str(error), LONGEST)}"
    return ""


def rule_for(rules: Sequence[HealthRule], manifest: Manifest) -> HealthRule | None:
    """The first rule for the kind of an object."""
    group, kind = group_of(manifest), str(manifest["kind"])
    return next((rule for rule in rules if (rule.group, rule.kind) == (group, kind)), None)


def ruled(rule: HealthRule, live: Manifest) -> RuledHealth:
    """What a rule says of a live object. One that cannot be asked, because a field is not there yet, says: on its way."""
    try:
        if rule.degraded and holds(rule.degraded, live, NEVER):
            return RuledHealth(degraded=True, words=f"its rule says that it has failed: {shortened(rule.degraded, LONGEST)}")
        healthy = holds(rule.healthy, live, NEVER)
    except ExpressionError as error:
        return RuledHealth(words=f"its rule of health cannot be asked: {shortened(str(error), LONGEST)}")
    return RuledHealth(healthy=healthy, words="" if healthy else f"its rule does not hold yet: {shortened(rule.healthy, LONGEST)}")
