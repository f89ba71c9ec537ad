"""Who changed what between two heads."""

from reconciler.git.history import commit_facts
from reconciler.git.mirror import Mirror
from tests.kit.repositories import Origin, Person

BOB = Person("Bob B. \x1e\x1f", "bob@example.com", 1_700_000_100)


async def test_one_commit_says_what_it_is(origin: Origin, mirror: Mirror) -> None:
    head = (await mirror.fetch("main")).new
    facts = await commit_facts(mirror.runner, head)
    assert (facts.oid, facts.subject, facts.files) == (origin.head(), "first", ("README.md", "env/web.yaml"))
    assert (facts.author_name, facts.author_email) == ("Ann", "ann@example.com")


async def test_a_commit_says_who_which_files_and_its_trailers(origin: Origin, mirror: Mirror) -> None:
    text = "web 2\n\nWhy: because\n\nRelease-Id: 7\nKind: a\n  b\n"
    oid = origin.commit({"env/web.yaml": "image: web:2\n", "env/ü x.yaml": "a"}, text, author=BOB)
    facts = await commit_facts(mirror.runner, (await mirror.fetch("main")).new)
    assert (facts.oid, facts.subject, facts.files) == (oid, "web 2", ("env/web.yaml", "env/ü x.yaml"))
    assert (facts.author_email, facts.time.timestamp()) == ("bob@example.com", 1_700_000_100)
    assert dict(facts.trailers) == {"Release-Id": "7", "Kind": "a b"}
