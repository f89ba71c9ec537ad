"""What is left: which processes have to do with a folder, and what lies in it."""

from pathlib import Path


def processes_about(folder: Path) -> list[int]:
    """The ids of processes that name the folder on their command line or work inside it."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _is_about(entry, str(folder))]


def _is_about(entry: Path, folder: str) -> bool:
    try:
        words = (entry / "cmdline").read_bytes().decode(errors="replace")
        return folder in words or str((entry / "cwd").readlink()).startswith(folder)
    except OSError:
        return False


def names_in(folder: Path) -> list[str]:
    """What lies in a folder, in order."""
    return sorted(path.name for path in folder.iterdir())
