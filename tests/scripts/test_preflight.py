"""What a machine lacks is said in one line, before set-up starts."""

import ast
import os
import subprocess
import sys
from pathlib import Path

PREFLIGHT = Path(__file__).resolve().parent.parent.parent / "scripts" / "preflight.py"


def run(path: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(PREFLIGHT)], env={"PATH": path}, cwd=folder, capture_output=True, text=True, check=False)


def test_a_machine_with_everything_hears_nothing(tmp_path: Path) -> None:
    done = run(os.environ["PATH"], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_git_one_line_says_what_to_install(tmp_path: Path) -> None:
    done = run(str(tmp_path), tmp_path)
    assert done.returncode == 1
    assert done.stderr == "preflight: git is not on PATH: install it (Debian: apt install git)\n"


def test_it_can_be_read_by_a_python_that_is_too_old() -> None:
    tree = ast.parse(PREFLIGHT.read_text(), feature_version=(3, 7))
    assert isinstance(tree.body[1], ast.ImportFrom) and tree.body[1].module == "__future__"
    assert not [
        node for node in ast.walk(tree) if isinstance(node, ast.Import) and node.names[0].name.split(".")[0] not in sys.stdlib_module_names
    ]
