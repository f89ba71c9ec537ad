"""Values as Go prints them: clients compare texts, so the texts must be the same."""

import math
from decimal import Decimal
from typing import Any


def plain(value: Any) -> str:
    """A scalar as Go's `%v` prints it: `3`, `true`, `1e+06`, `<nil>`."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return general(value) if isinstance(value, float) else str(value)


def general(value: float) -> str:
    """A float as Go's `%v`: shortest digits, an exponent below 1e-04 and from 1e+06 on."""
    if not math.isfinite(value) or value == 0:
        return fixed(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    point = len(digits) + int(exponent) - 1
    if -4 <= point < 6:
        return fixed(value)
    mantissa = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if len(digits) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{'-' if point < 0 else '+'}{abs(point):02d}"


def fixed(value: float) -> str:
    """A float with shortest exact digits and never an exponent, as Prometheus writes samples."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
