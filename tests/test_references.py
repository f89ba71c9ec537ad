"""Every reference resolves inside the project: contract numbers to anchors, ADRs to files, documents and links to what they name."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXTS = (".py", ".md", ".yaml", ".yml", ".toml", ".js", ".css", ".html", ".sh", "Makefile", "Dockerfile")
# The release layer is being rebuilt; its references are rewritten with it.
EXEMPT = ("tests/test_references.py", "docs/contract.md")

NUMBERS = r"\d+(?:(?:–|, | and | to )\d+(?![.\d]))*"
SECTION = rf'(?:C\d+|\d+(?:\.(?:\d+|A))?)(?:(?: (?:step|item|row)s? {NUMBERS})| "[^"]+")?'
CONTRACT = re.compile(rf"\bcontract (?P<list>{SECTION}(?:(?:, | and | to |–|; ){SECTION})*)")
ONE = re.compile(rf'(?P<section>C\d+|\d+(?:\.(?:\d+|A))?)(?: (?P<kind>step|item|row)s? (?P<numbers>{NUMBERS})| "(?P<word>[^"]+)")?')
LINK = re.compile(r"\]\((?!https?:|mailto:)(?P<file>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")


@cache
def texts() -> tuple[Path, ...]:
    """Every text the project keeps in Git, without what is exempt and what does not exist any more."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return tuple(ROOT / n for n in listed.stdout.splitlines() if n.endswith(TEXTS) and not n.startswith(EXEMPT) and (ROOT / n).is_file())


@cache
def anchors(page: Path) -> frozenset[str]:
    """What a `#fragment` of a Markdown page may name: explicit ids and headings, spelled as GitHub spells them."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
    return frozenset(slugs | set(re.findall(r'<a id="([^"]+)">', text)))


def contract_anchors(text: str) -> Iterator[str]:
    """The anchors of `docs/contract.md` that a text refers to."""
    for reference in CONTRACT.finditer(" ".join(text.split())):
        for one in ONE.finditer(reference["list"]):
            yield one["section"]
            for number in re.findall(r"\d+", one["numbers"] or ""):
                yield f"{one['section']}-row-{number}" if one["kind"] == "row" else f"{one['section']}-{number}"
            if one["word"]:
                yield f"{one['section']}-{one['word'].lower().replace(' ', '-')}"


def adrs(text: str) -> Iterator[str]:
    for reference in re.finditer(r"\bADRs? (\d{4}(?:(?:, | and |–| to )\d{4})*)", " ".join(text.split())):
        yield from re.findall(r"\d{4}", reference[1])


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def unresolved(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {file: names for file, names in found.items() if names}


def test_a_contract_number_is_an_anchor_of_the_contract() -> None:
    known = anchors(ROOT / "docs" / "contract.md")
    assert not unresolved({relative(p): sorted(set(contract_anchors(p.read_text())) - known) for p in texts()})


def test_an_adr_is_a_file() -> None:
    known = {p.name[:4] for p in (ROOT / "docs" / "adr").glob("*.md")}
    assert not unresolved({relative(p): sorted(set(adrs(p.read_text())) - known) for p in texts()})


def test_no_two_adrs_have_one_number() -> None:
    numbers = [p.name[:4] for p in (ROOT / "docs" / "adr").glob("*.md")]
    assert sorted(numbers) == sorted(set(numbers))


def test_an_adr_has_the_four_parts() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    parts = ("**Status:**", "**Context.**", "**Decision.**", "**Consequences.**")
    assert not {
        relative(p): [part for part in parts if part not in p.read_text()] for p in pages if not all(x in p.read_text() for x in parts)
    }


def test_a_link_of_a_page_leads_somewhere() -> None:
    def broken(page: Path) -> list[str]:
        missing = []
        for link in LINK.finditer(re.sub(r"`[^`]*`", "", page.read_text())):
            target = page.parent / link["file"] if link["file"] else page
            if not target.exists() or (link["anchor"] and link["anchor"] not in anchors(target)):
                missing.append(link[0])
        return missing

    assert not unresolved({relative(p): broken(p) for p in texts() if p.suffix == ".md"})


def test_a_document_that_is_named_exists() -> None:
    def missing(page: Path) -> list[str]:
        named = re.findall(r"(?<![\w/.:*<>{}-])((?:[\w.-]+/)*[\w-]+\.md)\b", page.read_text())
        homes = (ROOT, ROOT / "docs", page.parent)
        return sorted({name for name in named if not any((home / name).exists() for home in homes)})

    written_by_tests = ("tests/", "sandbox/", "benchmarks/")
    assert not unresolved({relative(p): missing(p) for p in texts() if not relative(p).startswith(written_by_tests)})


def test_a_document_folder_path_exists() -> None:
    def missing(page: Path) -> list[str]:
        named = re.findall(r"(?<![\w/.-])docs/[\w/-]+(?:\.\w+)?", page.read_text())
        return sorted({name for name in named if not (ROOT / name).exists()})

    assert not unresolved({relative(p): missing(p) for p in texts() if p.suffix == ".py" and not relative(p).startswith("tests/")})


@pytest.mark.parametrize("word", ["DESIGN", "STYLE", "git-forge", "apiserver.md", "model-codebases", "faults-20"])
def test_nothing_refers_to_a_document_that_is_not_here(word: str) -> None:
    assert not [relative(p) for p in texts() if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", p.read_text())]


def test_a_number_in_brackets_says_of_what() -> None:
    """`(13.44)` in a docstring or comment does not say where it lies; `(contract 13.44)` does, and is checked above."""

    def bare(page: Path) -> list[str]:
        return [
            n
            for n in re.findall(r'(?:"""|# )[^"\n]*?\((\d{1,2}\.\d{1,2})[,)]', page.read_text())
            if n in anchors(ROOT / "docs" / "contract.md")
        ]

    assert not unresolved({relative(p): bare(p) for p in texts() if p.suffix == ".py"})


def test_the_reader_of_references_reads_them() -> None:
    text = (
        '(contract 4.1 step 0; 13.3), contract 2.3 items 5–7, contract 9.1 row 1, contract 9.3 "Delay" and contract C9, 13.38; '
        "ADR 0011, 0017"
    )
    assert {"4.1-0", "13.3", "2.3-5", "2.3-7", "9.1-row-1", "9.3-delay", "C9", "13.38"} <= set(contract_anchors(text))
    assert list(adrs(text)) == ["0011", "0017"]
    assert "77.1" in set(contract_anchors("contract 77.1"))
