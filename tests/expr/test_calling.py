"""Counting arguments and reading whole numbers."""

import pytest

from reconciler.expr.calling import Function, whole
from reconciler.expr.syntax import ExpressionError


def test_a_function_takes_as_many_arguments_as_it_says() -> None:
    exact, open_ended = Function(print, 2), Function(print, 1, 3)
    exact.check_count("f", 2)
    open_ended.check_count("f", 3)
    with pytest.raises(ExpressionError, match="not enough arguments to call f"):
        exact.check_count("f", 1)
    with pytest.raises(ExpressionError, match="too many arguments to call f"):
        open_ended.check_count("f", 4)


def test_whole_numbers_have_64_bits() -> None:
    assert whole("-9223372036854775808", "f") == -(2**63)
    for text in ("9223372036854775808", "", "1_0", "٣", "0x1"):
        with pytest.raises(ExpressionError):
            whole(text, "f")
