"""The objects of one set of files, looked up by what refers to them; what is not there may be elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.app.lint.finding import Remark, Severity, did_you_mean
from reconciler.kernel.identity import Manifest
from reconciler.sources.documents import Located, Parsed
from reconciler.sources.references import Named

CLUSTER_TEMPLATES = "ClusterAnalysisTemplate"
TEMPLATES = "AnalysisTemplate"


@dataclass(frozen=True, slots=True)
class Library:
    """All objects given.

    `whole` says that a folder was given: it should hold what its objects refer to in their own namespace. `accompanied` says that the
    settings given beside them leave the applying to another tool; `unattended` that a pipeline releases them, without a person.
    """

    parsed: Parsed
    whole: bool = False
    accompanied: bool = False
    unattended: bool = False
    misshapen: frozenset[Named] = frozenset()
    """Objects that no rule about another one may read: what is wrong with their shape is told at their own place."""

    def find(self, kind: str, namespace: str, name: str) -> Manifest | None:
        found = self.parsed.find(kind, namespace, name)
        return found.manifest if found else None

    def of_kind(self, *kinds: str) -> tuple[Located, ...]:
        return tuple(located for located in self.parsed.manifests if located.key[0] in kinds)

    def templates(self, namespace: str) -> Sequence[Manifest]:
        """The analysis templates that an object of a namespace can name."""
        near = [found for found in self.of_kind(TEMPLATES) if found.key[1] == namespace]
        return [found.manifest for found in (*near, *self.of_kind(CLUSTER_TEMPLATES)) if found.key not in self.misshapen]

    def missing(self, field: str, wanted: tuple[str, str, str], home: str) -> Remark:
        """A reference to an object (kind, namespace, name) that is not among the files; `home` is the namespace of who refers.

        An error where these files clearly should hold it: a folder and its own namespace, or others of its kind beside it.
        """
        kind, namespace, name = wanted
        place = f"{namespace}/{name}" if namespace else name
        siblings = [found.key[2] for found in self.of_kind(kind) if found.key[1] == namespace]
        if siblings or (self.whole and namespace and namespace == home):
            hint = did_you_mean(name, siblings)
            return Remark(field, f"{kind} {place} is not among these files: add it, or correct the name", suggestion=hint)
        return Remark(field, f"{kind} {place} is outside these files: not looked at", Severity.NOTE)
