"""Each surprising edge case of the contract has a test that bears its number: `test_13_<number>_<what happens>`."""

import re
from pathlib import Path

from tests.kit.tables import CONTRACT

NAME = re.compile(r"^(?:async )?def test((?:_13_\d+)+)_[a-z]", re.MULTILINE)


def test_every_edge_case_of_the_contract_has_a_test_of_its_own() -> None:
    asked = set(re.findall(r'<a id="13\.(\d+)">', CONTRACT.read_text(encoding="utf-8")))
    named = [name for page in Path(__file__).parents[2].rglob("test_*.py") for name in NAME.findall(page.read_text(encoding="utf-8"))]
    found = {number for name in named for number in re.findall(r"_13_(\d+)", name)}
    assert asked == {str(number) for number in range(1, 66)}
    assert sorted(asked ^ found, key=int) == []
