"""The words of `jsonnet:` in a source, strictly (docs/sources.md)."""

from collections.abc import Mapping

from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.sources.settings import JsonnetSettings


def jsonnet_settings(fields: StrictFields) -> JsonnetSettings:
    """How jsonnet is evaluated. Raises FieldError naming the first wrong field."""
    settings = JsonnetSettings(
        libraries=_libraries(fields),
        variables=_texts(fields, "extVars"),
        variable_code=_texts(fields, "extCode"),
        arguments=_texts(fields, "tlas"),
        argument_code=_texts(fields, "tlaCode"),
    )
    for one, other in (
        ("extVars", settings.variables.keys() & settings.variable_code),
        ("tlas", settings.arguments.keys() & settings.argument_code),
    ):
        if other:
            raise FieldError(fields.path(one), f"{min(other)!r} is said twice, as a text and as code: keep one of them")
    fields.done()
    return settings


def _libraries(fields: StrictFields) -> tuple[str, ...]:
    names = fields.texts("libs")
    for index, name in enumerate(names):
        if not name.strip("/") or ".." in name.split("/") or "\\" in name or not name.isprintable():
            raise FieldError(
                f"{fields.path('libs')}[{index}]", f"{name!r} is no folder: write one below the path, or from the root on with a slash"
            )
    return names or JsonnetSettings().libraries


def _texts(fields: StrictFields, name: str) -> Mapping[str, str]:
    found = fields.raw(name)
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(key, str) and key for key in found):
        raise FieldError(fields.path(name), "expected a mapping of names to texts, like {environment: production}")
    for key, value in found.items():
        if not isinstance(value, str):
            raise FieldError(fields.path(name), f"{key} expects a text: put it in quotes, or write an expression in {CODE[name]}")
    return dict(found)


CODE = {"extVars": "extCode", "extCode": "quotes", "tlas": "tlaCode", "tlaCode": "quotes"}
"""Where a value goes that is no text."""
