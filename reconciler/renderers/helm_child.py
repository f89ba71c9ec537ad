"""What answers where no helm is installed: `helm template`, as far as a chart in a folder needs it, by Helm's own library for Python.

Started alone, in the place of the program; it imports nothing of ours. The library (extra `helm`) renders with Helm 4. It cannot be told
of another version of Kubernetes or of more API versions than its own, and does not compare a chart's `kubeVersion`: who needs these has to
install helm.
"""

import sys
from pathlib import Path
from typing import Any

UNTOLD = {"--kube-version": "kubeVersion", "--api-versions": "apiVersions"}
FLAGS = ("--include-crds",)
NOTES = "NOTES.txt"


def main(words: list[str]) -> int:
    """Answers one command line; returns the exit code."""
    import helm_python

    if words[:1] == ["version"]:
        sys.stdout.write(helm_python.helm_sdk_version())
        return 0
    release, folder, options = words[1], words[2], _options(words[3:])
    for option, field in UNTOLD.items():
        if option in options:
            sys.stderr.write(f"Error: {field} cannot be said to helm-python-sdk: install helm 4\n")
            return 1
    try:
        _print(helm_python, (release, folder), options)
    except (helm_python.HelmError, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def _options(words: list[str]) -> dict[str, list[str]]:
    """Each option with its values, in their order."""
    found: dict[str, list[str]] = {}
    rest = iter(words)
    for word in rest:
        found.setdefault(word, []).append("" if word in FLAGS else next(rest))
    return found


def _print(helm: Any, what: tuple[str, str], options: dict[str, list[str]]) -> None:
    """The objects as helm prints them: each file after a comment that names it."""
    release, folder = what
    values: dict[str, Any] = {}
    for file in options.get("--values", ()):
        try:
            values = _merged(values, helm.values_from_yaml(Path(file).read_text(encoding="utf-8")))
        except helm.HelmError as error:
            raise helm.HelmValuesError(f"failed to parse {file}: {error}") from error
    for said in options.get("--set-json", ()):
        values = _merged(values, helm.parse_set_json(said))
    with helm.Chart.load(folder) as chart:
        chart.validate_schema(values)
        crds = [(one["filename"], one["data"]) for one in chart.crds] if "--include-crds" in options else []
        rendered = chart.render(values, name=release, namespace=options["--namespace"][0])
    found = (*crds, *((name, text) for name, text in sorted(rendered.items()) if not name.endswith(f"/{NOTES}")))
    sys.stdout.write("\n".join(f"---\n# Source: {name}\n{text.rstrip()}" for name, text in found if text.strip()))


def _merged(under: Any, over: Any) -> Any:
    """Values over others, as helm has it: mappings are joined, everything else is replaced."""
    if isinstance(under, dict) and isinstance(over, dict):
        return {**under, **{key: _merged(under.get(key), value) for key, value in over.items()}}
    return over


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
