"""How a release leaves the world, claim by claim; what a killed daemon's successor must bring about."""

from collections.abc import Awaitable, Callable, Mapping

from tests.kit.shop import BAD, Shop

Claims = Callable[[Shop], Awaitable[list[str]]]
"""What does not hold yet, in words."""


async def failed_claims(place: Shop) -> list[str]:
    """What is not yet as a failed release leaves it."""
    release, comments = await place.release(BAD), place.comments(BAD)
    claims = {
        "the release is closed as failed": (release.get("phase"), release.get("verdict")) == ("Closed", "failed"),
        "the bad version is held": release.get("held") is True,
        "the restore is recorded": (release.get("restore") or {}).get("state") == "pushed",
        "one comment": len(comments) == 1,
        "the comment says that Git was restored": "Git was restored" in comments[-1] if comments else False,
        **await home(place, "1"),
    }
    return unmet(claims) or unmet(await branch(place, "1", restores=1))


async def passed_claims(place: Shop) -> list[str]:
    """What is not yet as a proven release leaves it."""
    release, comments = await place.release("2"), place.comments("2")
    claims = {
        "the release is closed as passed": (release.get("phase"), release.get("verdict")) == ("Closed", "passed"),
        "no restore was wanted": "restore" not in release,
        "one comment": len(comments) == 1,
        "the comment says proven": "proven" in comments[-1] if comments else False,
        **await home(place, "2"),
    }
    return unmet(claims) or unmet(await branch(place, "2", restores=0))


async def branch(place: Shop, version: str, *, restores: int) -> dict[str, bool]:
    """Asked of git itself, so only once the rest is as it should be."""
    return {
        "the branch holds the version to the byte": await place.asked() == place.content(version),
        f"{restores} restoring commits": await place.restores() == restores,
    }


def unmet(claims: Mapping[str, bool]) -> list[str]:
    return [claim for claim, holds in claims.items() if not holds]


async def home(place: Shop, version: str) -> dict[str, bool]:
    """Everybody is on this version, and nothing is under way."""
    return {
        "the rollout asks for it": await place.image() == version,
        "the rollout is healthy": await place.phase() == "Healthy",
        "all traffic goes to stable": await place.weights() == (100, 0),
        "stable selects it": await place.selected() == version,
        "its pods are available": await place.available(version) >= 2,
    }
