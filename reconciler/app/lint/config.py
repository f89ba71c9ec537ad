"""What is wrong with a ConfigMap or a Secret: the server takes nothing but text for a value, and says so in words that few understand."""

from reconciler.app.lint.finding import Remark, Remarks
from reconciler.app.lint.library import Library
from reconciler.kernel.identity import Manifest

PARTS = ("data", "stringData", "binaryData")


def config_remarks(manifest: Manifest, _: Library) -> Remarks:
    """Every value that is no text."""
    for part in PARTS:
        values = manifest.get(part)
        if values is not None and not isinstance(values, dict):
            yield Remark(part, "must be an object of texts")
            continue
        for key, value in (values or {}).items():
            if value is not None and not isinstance(value, str):
                yield Remark(f"{part}['{key}']", f"must be a string: write {value!r} in quotes")
