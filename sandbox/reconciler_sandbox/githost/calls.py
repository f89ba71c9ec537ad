"""One call of the REST API, parsed: who asks what of which repository."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yarl import URL

from reconciler_sandbox.githost.access import Access
from reconciler_sandbox.githost.answers import Refusal, invalid, missing
from reconciler_sandbox.githost.hosted import Hosted
from reconciler_sandbox.githost.records import Pull


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that passed authentication; `hosted` is set exactly when the path names a repository."""

    site: str
    url: URL
    user: str
    access: Access
    hosted: Hosted | None
    params: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def project(self) -> Hosted:
        if self.hosted is None:
            raise missing()
        return self.hosted

    @property
    def pull(self) -> Pull:
        """The pull request that the path names."""
        pull = self.project.book.pulls.get(int(self.params["number"]))
        if pull is None:
            raise missing()
        return pull

    def require_write(self, permission: str) -> None:
        """403 with GitHub's header if the caller may only read."""
        if not self.access.may_write(self.user):
            headers = {"X-Accepted-GitHub-Permissions": permission}
            raise Refusal(403, "Resource not accessible by personal access token", headers=headers)

    def text(self, resource: str, field: str, *, largest: int = 65536, default: str | None = None) -> str:
        """A text field of the body; missing without default, or longer than `largest` characters, is 422."""
        value = self.body.get(field)
        if value is None and default is not None:
            return default
        if value is None:
            raise invalid(resource, field, code="missing_field")
        if not isinstance(value, str):
            raise Refusal(422, f"Invalid request.\n\nFor 'properties/{field}', {value!r} is not a string.")
        if len(value) > largest:
            raise invalid(resource, field, f"{field} is too long (maximum is {largest} characters)")
        return value
