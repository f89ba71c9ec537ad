"""Whatever is spoiled in manifests, lint ends and says where; what people have as it is gives no error."""

from hypothesis import given, settings

from reconciler.app.lint.finding import Severity
from reconciler.app.lint.lint import lint
from tests.kit.mutated import spoiled_files


@settings(max_examples=150)
@given(files=spoiled_files())
def test_whatever_is_spoiled_lint_ends_and_names_the_place(files: dict[str, bytes]) -> None:
    report = lint(files, unattended=True)
    assert report.files == len(files)
    assert all(finding.file in files for finding in report.findings)
    assert all(finding.line for finding in report.findings if finding.severity is Severity.ERROR and finding.object)
