"""The process that evaluates jsonnet: started alone, with the files of a commit in its working directory. It imports nothing of ours.

Reads what is asked from a file, evaluates each entry by itself and prints the answers as JSON. An import is read from the tree and from
nowhere else, whatever it names.
"""

import json
import os
import posixpath
import sys
from typing import Any, TypedDict

TREE = "tree"
ASKED = "asked.json"
DEEPEST = 300
"""Frames of the evaluator, so that a recursion ends in words and not in a crash."""
SHOWN = 3


class JsonnetCall(TypedDict):
    """What to evaluate: files from the repository's root, the folders of libraries, and what the files are told."""

    files: list[str]
    libraries: list[str]
    extVars: dict[str, str]
    extCode: dict[str, str]
    tlaVars: dict[str, str]
    tlaCode: dict[str, str]


class JsonnetAnswer(TypedDict, total=False):
    """What one file gives: a value, or what is wrong."""

    file: str
    value: Any
    error: str


def main() -> int:
    """Answers what stands in the file; returns the exit code."""
    with open(ASKED, encoding="utf-8") as file:
        asked: JsonnetCall = json.load(file)
    json.dump([_answer(asked, name) for name in asked["files"]], sys.stdout)
    return 0


def _answer(asked: JsonnetCall, name: str) -> JsonnetAnswer:
    import _jsonnet

    def importing(folder: str, text: str) -> tuple[str, bytes]:
        for place in (folder, *asked["libraries"]):
            target = posixpath.normpath(posixpath.join(place, text))
            if target.startswith(("/", "../")) or target == "..":
                continue
            if os.path.isfile(path := os.path.join(TREE, target)):
                with open(path, "rb") as file:
                    return target, file.read()
        raise RuntimeError(f"{text!r} is not in this repository, or leads out of it")

    try:
        with open(os.path.join(TREE, name), encoding="utf-8") as file:
            text = file.read()
        words = {"ext_vars": asked["extVars"], "ext_codes": asked["extCode"], "tla_vars": asked["tlaVars"], "tla_codes": asked["tlaCode"]}
        value = _jsonnet.evaluate_snippet(name, text, max_stack=DEEPEST, max_trace=SHOWN, import_callback=importing, **words)
        return {"file": name, "value": json.loads(value)}
    except (RuntimeError, OSError, UnicodeDecodeError, RecursionError, ValueError) as error:
        return {"file": name, "error": str(error)}


if __name__ == "__main__":
    sys.exit(main())
