"""`reconciler lint`: what is wrong with files before they are pushed, without a cluster."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reconciler.app.cli.configured import Names, Settings, configured
from reconciler.app.cli.output import Output, show_plain

if TYPE_CHECKING:
    from reconciler.app.lint.lint import Report


def register(app: typer.Typer) -> None:
    """Add `lint`."""
    app.command("lint")(lint)


def lint(
    files: Annotated[list[Path], typer.Argument(help="manifests, a reconciler.yaml, or folders of them")],
    namespace: Annotated[str, typer.Option("--default-namespace", help="the source's `namespace`: of objects that name none")] = "",
    exclude: Annotated[list[str] | None, typer.Option("--exclude", help="a glob of files to leave out, as in `exclude`")] = None,
    ci: Annotated[bool, typer.Option("--ci", help="a pipeline releases these files: a wait for a person is an error")] = False,
    config: Settings = None,
    names: Names = None,
    output: Output = "text",
) -> None:
    """Check syntax, schema and references of Rollouts, analysis templates, policies, Services, routes and settings.

    References are looked up among the files given. What a folder clearly should hold and does not is an error; what may be elsewhere is
    only a note. A folder with a kustomization or a Helm chart is looked at as it is rendered, with -c as the source says that follows it;
    one inside of another folder is not looked at: that is a note. A warning is about what works and cannot do what it is there for: an
    analysis that never fails, or not in the time that the steps give it, a step that is not reached, a route behind one that takes
    everything, a policy's field that the settings given beside it make idle. All errors are told at once, with line, column and, where it
    can be known, what to write. Exit code 1 on errors.

    Example: reconciler lint environments/demo reconciler.yaml
    Example: reconciler lint charts/shop -c reconciler.yaml --source shop-production
    """
    from reconciler.app.cli.offline.files import apart, made_from, options_of, snapshot_at
    from reconciler.app.lint.lint import Lens
    from reconciler.app.lint.lint import lint_snapshot as look

    sources, options = configured(config, names), options_of(namespace, exclude or ())
    rest, folders = apart(files, sources)
    lens = Lens(options=options, whole=any(path.is_dir() for path in files), unattended=ci)
    report = look(snapshot_at(rest), lens, made_from(folders, options, sources))
    if output != "text":
        show_plain(_words(report), output)
    else:
        for finding in report.findings:
            typer.echo(str(finding))
        typer.echo(_summary(report))
    if report.errors:
        raise typer.Exit(1)


def _words(report: "Report") -> dict[str, Any]:
    return {**asdict(report), "errors": len(report.errors)}


def _summary(report: "Report") -> str:
    counts = Counter(str(finding.severity) for finding in report.findings)
    found = [_counted(counts[word], word) for word in ("error", "warning", "note") if counts[word]]
    told = ", ".join(found if report.errors else ["nothing wrong", *found])
    return f"{_counted(report.objects, 'object')} in {_counted(report.files, 'file')}: {told}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
