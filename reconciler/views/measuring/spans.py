"""Lengths of time as people say them. Pure."""

UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def spoken(seconds: float) -> str:
    """`45 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    whole = max(0, round(seconds))
    for unit, name, small, below in UNITS:
        if whole >= unit:
            rest = whole % unit // small
            return f"{whole // unit} {name}{f' {rest} {below}' if rest else ''}"
    return f"{whole} s"


def roughly(seconds: float) -> str:
    """The same with one unit where the second says little: `12 min`, `5 h`."""
    whole = max(0, round(seconds))
    unit, name = next(((unit, name) for unit, name, _, _ in UNITS if whole >= unit), (1, "s"))
    return f"{whole // unit} {name}" if whole >= 5 * unit else spoken(whole)
