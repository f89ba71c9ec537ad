"""What `reconciler.yaml` says about drift: the policy, and `ignoreDifferences` in the words of an Argo CD Application."""

from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.sources.drift import DriftPolicy, DriftSettings, IgnoreRule, misread, pointer_of

JQ = "is not read: name the fields as jsonPointers (an index may be the name of a list's item), or who writes them as managedFieldsManagers"


def drift_settings(fields: StrictFields) -> DriftSettings:
    """`drift` and `ignoreDifferences` of one source."""
    policy = DriftPolicy(fields.choice("drift", tuple(DriftPolicy), DriftPolicy.REPORT))
    return DriftSettings(policy=policy, ignored=fields.each("ignoreDifferences", _rule))


def _rule(fields: StrictFields) -> IgnoreRule:
    if fields.has("jqPathExpressions"):
        raise FieldError(fields.path("jqPathExpressions"), JQ)
    pointers = fields.texts("jsonPointers")
    for index, pointer in enumerate(pointers):
        if why := misread(pointer):
            raise FieldError(f"{fields.path('jsonPointers')}[{index}]", why)
    rule = IgnoreRule(
        group=fields.text("group", ""),
        kind=fields.text("kind"),
        name=fields.text("name", ""),
        namespace=fields.text("namespace", ""),
        pointers=tuple(map(pointer_of, pointers)),
        managers=fields.texts("managedFieldsManagers"),
    )
    if not rule.pointers and not rule.managers:
        raise FieldError(fields.path("jsonPointers"), "or managedFieldsManagers says what is left to others: write one of them")
    fields.done()
    return rule
