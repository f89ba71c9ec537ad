"""Judges shares of real requests: a count is as asked when it lies within four standard deviations. Pure."""

import math
from collections.abc import Iterable, Mapping

SIGMAS = 4


def allowance(share: float, total: int) -> float:
    """How many requests more or fewer than `share * total` are still chance; none for a share of 0 or 1."""
    return SIGMAS * math.sqrt(total * share * (1 - share))


def as_asked(counts: Mapping[str, int], parts: Mapping[str, float]) -> bool:
    """Whether every version, also one that nobody asked for, has the share it should have."""
    total = sum(counts.values())
    versions = {*counts, *parts}
    return total > 0 and all(
        abs(counts.get(version, 0) - parts.get(version, 0.0) * total) <= allowance(parts.get(version, 0.0), total) + 1e-9
        for version in versions
    )


def named(version: str) -> str:
    return version or "failed"


def counted(counts: Mapping[str, int]) -> str:
    """`1.0: 1,204 (60.2 %), 1.1: 796 (39.8 %)`"""
    total = sum(counts.values()) or 1
    return ", ".join(f"{named(version)}: {counts[version]:,} ({100 * counts[version] / total:.1f} %)" for version in sorted(counts))


def asked(parts: Mapping[str, float], total: int) -> str:
    """`1.0: 60 % ± 4.4, 1.1: 40 % ± 4.4 of 2,000 requests`"""
    return ", ".join(_asked_part(version, parts[version], total) for version in sorted(parts)) + f" of {total:,} requests"


def _asked_part(version: str, share: float, total: int) -> str:
    spread = 100 * allowance(share, total) / total
    return f"{named(version)}: {100 * share:g} %" + (f" ± {spread:.1f}" if spread else " exactly")


def tally(versions: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for version in versions:
        counts[version] = counts.get(version, 0) + 1
    return counts
