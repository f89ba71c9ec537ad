"""What the shell offers for a name that is half typed: objects of the namespace, if the cluster answers at once."""

import asyncio
from collections.abc import Sequence

import click

from reconciler.app.cli.cluster import ClusterPlace, cluster, settled
from reconciler.kernel.identity import Resource, name_of
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, RELEASES, ROLLOUTS

PATIENCE = 2.0
"""Seconds that a person waits after the tab key."""


def rollout_names(ctx: click.Context, args: Sequence[str], incomplete: str) -> list[str]:
    """The Rollouts whose name begins like this."""
    return _names(ROLLOUTS, ctx, incomplete)


def release_names(ctx: click.Context, args: Sequence[str], incomplete: str) -> list[str]:
    """The Releases whose name begins like this."""
    return _names(RELEASES, ctx, incomplete)


def template_names(ctx: click.Context, args: Sequence[str], incomplete: str) -> list[str]:
    """The AnalysisTemplates whose name begins like this."""
    return _names(ANALYSIS_TEMPLATES, ctx, incomplete)


def _names(resource: Resource, ctx: click.Context, incomplete: str) -> list[str]:
    typed = {name: str(ctx.params.get(name) or "") for name in ("kubeconfig", "context", "namespace")}

    async def listed() -> list[str]:
        place = settled(ClusterPlace(**typed))
        async with asyncio.timeout(PATIENCE), cluster(place) as client:
            return [name_of(found) for found in await client.list(resource, place.namespace)]

    try:
        return sorted(name for name in asyncio.run(listed()) if name.startswith(incomplete))
    except Exception:
        # A traceback between two key strokes helps nobody: the command itself will say what is wrong.
        return []
