"""What was found about a release on its way, in lines: beside its baseline, of its routes, of its preview. Pure."""

from reconciler.releases.comparison.words import compared_lines
from reconciler.releases.model import ReleaseStatus
from reconciler.releases.preview.words import came_lines
from reconciler.releases.share.words import share_lines


def found_lines(status: ReleaseStatus) -> tuple[str, ...]:
    """Everything that is not a verdict; none while nothing was looked at."""
    return (*compared_lines(status), *share_lines(status.share), *came_lines(status.preview))
