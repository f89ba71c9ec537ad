"""What runs: the image references of a workload."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Image:
    """One image reference with its name spelled out in full; `tag` and `digest` are as written ("" for absent, never `latest`)."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.repository}"

    @property
    def effective_tag(self) -> str:
        """The tag to compare by: `latest` when neither tag nor digest is written. Never write it back."""
        if self.tag or self.digest:
            return self.tag
        return "latest"

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")
