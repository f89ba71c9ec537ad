"""Who set a value: only what the facts prove."""

from datetime import UTC, datetime

from reconciler.git.objects import CommitFacts
from reconciler.sources.changes import changes
from reconciler.sources.model import Pull
from reconciler.sources.provenance import History, provenance, questions
from tests.kit.manifests import deployment, parsed

(CHANGE,) = changes(parsed(web=deployment(image="r/w:1")), parsed(web=deployment(image="r/w:2")))
FIELD = CHANGE.images[0].field


def commit(oid: str, *files: str) -> CommitFacts:
    return CommitFacts(
        oid=oid, author_name="Ann", author_email="ann@example.com", time=datetime(2026, 1, 1, tzinfo=UTC), subject="web 2", files=files
    )


def test_the_only_commit_that_touched_the_file_set_the_value() -> None:
    found = provenance(FIELD, History((commit("b", "README.md"), commit("a", "web.yaml")), pulls={"a": Pull(number=7)}))
    assert found.commit is not None
    assert (found.commit.sha, found.commit.author, found.file, found.line) == ("a", "Ann <ann@example.com>", "web.yaml", 16)
    assert found.pull == Pull(number=7)


def test_among_several_commits_blame_decides() -> None:
    history = History((commit("b", "web.yaml"), commit("a", "web.yaml")))
    assert questions([FIELD], history) == (("web.yaml", 16),)
    assert provenance(FIELD, history).commit is None
    answered = History(history.commits, {("web.yaml", 16): "a"})
    assert questions([FIELD], answered) == ()
    found = provenance(FIELD, answered).commit
    assert found is not None
    assert found.sha == "a"


def test_rewritten_history_names_nobody() -> None:
    history = History((commit("a", "web.yaml"),), rewritten=True)
    assert provenance(FIELD, history).commit is None
    assert questions([FIELD], history) == ()
