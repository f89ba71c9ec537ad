"""Resource quantities in their one canonical form: 1024Mi is 1Gi, 0.5 is 500m."""

import re
from decimal import Decimal
from functools import lru_cache

QUANTITY = re.compile(r"^([+-]?)(\d+(?:\.\d*)?|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d{1,3}|)$")
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
MAX_LENGTH = 40


def canonical(value: str | int | float) -> str:
    """The canonical text of a quantity; text that is none is returned as it is."""
    text = str(value)
    return _canonical(text) if len(text) <= MAX_LENGTH else text


@lru_cache(4096)  # a few amounts are in all pods
def _canonical(text: str) -> str:
    found = QUANTITY.match(text)
    if not found:
        return text
    sign, number, suffix = "-" if found[1] == "-" else "", Decimal(found[2]), found[3]
    if suffix in BINARY:
        return sign + _binary(number * (1 << BINARY[suffix]))
    if suffix in DECIMAL:
        return sign + _decimal(number, DECIMAL[suffix])
    return sign + _exponent(number, int(suffix[1:]), suffix[0])


def _binary(amount: Decimal) -> str:
    whole = int(amount.to_integral_value(rounding="ROUND_UP"))
    for suffix, bits in reversed(BINARY.items()):
        if whole and whole % (1 << bits) == 0:
            return f"{whole >> bits}{suffix}"
    return str(whole)


def _nanos(number: Decimal, exponent: int) -> int:
    return int((number.scaleb(exponent + 9)).to_integral_value(rounding="ROUND_UP"))


def _decimal(number: Decimal, exponent: int) -> str:
    nanos = _nanos(number, exponent)
    for suffix, power in reversed(DECIMAL.items()):
        if nanos and nanos % 10 ** (power + 9) == 0:
            return f"{nanos // 10 ** (power + 9)}{suffix}"
    return "0"


def _exponent(number: Decimal, exponent: int, letter: str) -> str:
    nanos = _nanos(number, exponent)
    for power in range(18, -10, -3):
        if nanos and nanos % 10 ** (power + 9) == 0:
            return f"{nanos // 10 ** (power + 9)}{letter}{power}" if power else str(nanos // 10**9)
    return "0"
