"""The words of `health:` in a source, strictly (docs/sources.md)."""

from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.sources.health_rules import misread
from reconciler.sources.settings import HealthRule

SECRET = "Secret"


def health_rule(fields: StrictFields) -> HealthRule:
    """When objects of one kind are healthy. Raises FieldError naming the first wrong field."""
    rule = HealthRule(
        group=fields.text("group", ""), kind=fields.text("kind"), healthy=fields.text("healthy"), degraded=fields.text("degraded", "")
    )
    fields.done()
    if rule.kind == SECRET and not rule.group:
        raise FieldError(fields.path("kind"), "a Secret is healthy once it is there, and what a condition says may be shown")
    for name, condition in (("healthy", rule.healthy), ("degraded", rule.degraded)):
        if condition and (why := misread(condition)):
            raise FieldError(fields.path(name), why)
    return rule
