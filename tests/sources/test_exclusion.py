"""Globs of files that are left out."""

import pytest

from reconciler.sources.exclusion import excluded, readable


@pytest.mark.parametrize(
    ("glob", "name", "left_out"),
    [
        ("*.json", "env/a/renovate.json", True),
        ("renovate.json", "env/renovate.json", True),
        ("ci", "env/ci/build.yaml", True),
        ("ci/", "env/ci/build.yaml", True),
        ("ci/*.yaml", "env/ci/build.yaml", True),
        ("ci/*.yaml", "env/ci/deep/build.yaml", False),
        ("ci/**", "env/ci/deep/build.yaml", True),
        ("**/values.yaml", "env/a/b/values.yaml", True),
        ("**/values.yaml", "env/values.yaml", True),
        ("a?.yaml", "env/ab.yaml", True),
        ("a[!x].yaml", "env/ax.yaml", False),
        ("a[xy].yaml", "env/ax.yaml", True),
        ("a[xy].yaml", "env/az.yaml", False),
        ("draft]", "env/draft]", True),
        ("draft]", "env/r", False),
        ("a[]", "env/a[]", True),
        ("a[!].yaml", "env/a!.yaml", True),
        ("a[!].yaml", "env/ab.yaml", False),
        ("[[&&b].yaml", "env/&.yaml", True),
        ("[[&&b].yaml", "env/c.yaml", False),
        ("[a/b]", "env/[a/b]", True),
        ("[a/b]", "env/a", False),
        ("./ci/x.yaml", "env/ci/x.yaml", True),
        ("env/ci", "env/ci/x.yaml", False),
        ("a.b.yaml", "env/aXb.yaml", False),
        ("c*", "env/a/b.yaml", False),
    ],
)
def test_a_glob_without_a_slash_means_names_and_one_with_a_slash_paths(glob: str, name: str, left_out: bool) -> None:
    assert excluded(name, "env", (glob,)) is left_out


def test_the_root_of_the_repository_is_a_folder_too() -> None:
    assert excluded("ci/x.yaml", "", ("ci/x.yaml",))
    assert not excluded("ci/x.yaml", "", ())


def test_a_range_that_runs_backwards_cannot_be_read() -> None:
    assert not readable("[z-a].yaml")
    assert readable("[a-z].yaml") and readable("[!]") and readable("[]")
