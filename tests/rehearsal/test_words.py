"""Claims and deeds in the words of the timeline."""

import pytest
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.compare import Comparison
from reconciler_sandbox.rehearsal.story import (
    Action,
    BehaviourChange,
    CommitNote,
    Commits,
    DaemonOrder,
    Expect,
    FaultOrder,
    Flow,
    GitFile,
    ObjectPatch,
    PullNote,
    PullRequest,
    Push,
    Replicas,
    Share,
    Subject,
    Tagged,
    TrafficChange,
    Users,
    Verb,
)
from reconciler_sandbox.rehearsal.words import behaves, describe, expected

from tests.kit.rehearsal import field_of


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (field_of("Rollout", "web", "status.phase", equals="Healthy"), "Rollout shop/web: status.phase is Healthy"),
        (Replicas("web:1", Comparison({"equals": 3})), "the number of ready pods of web:1 is 3"),
        (Share("web", {"1": 1.0}), "1: 100 % exactly of 2,000 requests"),
        (Tagged(traffic="web", headers={"x": "y"}, version="2", without="1"), "with x only 2, without only 1"),
        (Users(traffic="web", failed=True, comparison=Comparison({"equals": 0})), "the number of failed requests is 0"),
        (Users(traffic="web", version="2", comparison=Comparison({"equals": 0})), "the number of untagged requests answered by 2 is 0"),
        (GitFile(file="a", comparison=Comparison({"contains": "b"})), "a on main contains b"),
        (Commits(matching="x", count=1), "1 commit on main matching x"),
        (PullNote(title="t", comments=2, status="success"), "pull request “t”: 2 comments, status success"),
        (CommitNote(subject="s", text=Comparison({"contains": "x"})), "commit “s”: its description contains x"),
    ],
)
def test_a_claim_reads_aloud(subject: Subject, words: str) -> None:
    assert expected(subject) == words


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Push(message="m", edits=(), author="Ann <a@b>", pull=PullRequest("t")), "Ann pushes “m” through a pull request"),
        (ObjectPatch(field_of("Rollout", "web", "a", equals=1).target, {}), "patch Rollout shop/web"),
        (Verb(("kubectl", "get", "pods")), "$ kubectl get pods"),
        (BehaviourChange({"web:1": Behaviour("1", hang=True)}), "web:1 hangs"),
        (TrafficChange({"web": Flow(host="h", rate=5)}), "traffic web: 5 requests/s"),
        (FaultOrder(target="forge", status=502, times=2), "fault: forge answers 502, 2 times"),
        (FaultOrder(target="git", cut=True, after=True), "fault: git cuts connections after the work is done"),
        (FaultOrder(target="api", delay=1, lasting=5), "fault: api answers 1 s late for 5 s"),
        (DaemonOrder("kill"), "kill -9 the daemon"),
        (Expect(()), ""),
    ],
)
def test_a_deed_reads_aloud(action: Action, words: str) -> None:
    assert describe(action) == words


def test_a_behaviour_reads_aloud() -> None:
    assert behaves(Behaviour("1", crash=True, latency=2)) == "crashes and answers after 2 s"
    assert behaves(Behaviour("1")) == "answers as 1"
