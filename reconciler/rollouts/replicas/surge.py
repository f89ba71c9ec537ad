"""How many pods may be added and how many may be missing: `maxSurge` and `maxUnavailable` (contract 1.3)."""

from reconciler.kernel.errors import Terminal

DEFAULT = "25"


def resolve(value: int | str | None, replicas: int, *, up: bool) -> int:
    """A number of pods: an int is literal, any string is a percentage of `replicas`, absent is 25 % (contract 1.3, 13.1)."""
    if isinstance(value, int):
        return value
    share = replicas * percentage(DEFAULT if value is None else value)
    return -(-share // 100) if up else share // 100


def percentage(text: str) -> int:
    """The number in `25` or `25%`; Terminal when it is none."""
    number = text.strip().removesuffix("%")
    if not number.lstrip("-").isdecimal():
        raise Terminal(f"{text!r} is no percentage: write a number of pods (3) or a percentage (25%)")
    return int(number)


def bounds(max_surge: int | str | None, max_unavailable: int | str | None, replicas: int) -> tuple[int, int]:
    """The (surge, unavailable) pods of a canary: never both zero, unavailable at most `replicas` (contract 1.3)."""
    surge = resolve(max_surge, replicas, up=True)
    unavailable = resolve(max_unavailable, replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, replicas)
