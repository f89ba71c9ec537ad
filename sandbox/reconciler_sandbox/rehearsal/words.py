"""What is expected and what happens, in the words of the timeline. Pure."""

from collections.abc import Mapping
from typing import assert_never

from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.shares import asked
from reconciler_sandbox.rehearsal.story import (
    Action,
    BehaviourChange,
    CommitNote,
    Commits,
    DaemonOrder,
    Expect,
    FaultOrder,
    GitFile,
    ObjectField,
    ObjectPatch,
    PullNote,
    Push,
    Replicas,
    Share,
    Subject,
    Tagged,
    Together,
    TrafficChange,
    Users,
    Verb,
)

ORDERS: Mapping[str, str] = {
    "start": "start the daemon",
    "stop": "stop the daemon (SIGTERM)",
    "kill": "kill -9 the daemon",
    "restart": "kill -9 the daemon and start it again",
}


def expected(subject: Subject) -> str:
    """The claim about a subject in one line."""
    match subject:
        case ObjectField():
            chosen = f" where {', '.join(f'{path} is {text}' for path, text in subject.where.items())}" if subject.where else ""
            return f"{subject.target}{chosen}: {subject.path} {subject.comparison}"
        case Replicas():
            return f"the number of ready pods of {subject.image} {subject.comparison}"
        case Share():
            return asked(subject.parts, subject.requests)
        case Tagged():
            tag = ", ".join(subject.headers)
            return f"with {tag} only {subject.version}, without only {subject.without}"
        case Users():
            who = "failed requests" if subject.failed else f"untagged requests answered by {subject.version}"
            return f"the number of {who} {subject.comparison}"
        case GitFile() | Commits() | PullNote() | CommitNote():
            return _expected_in_git(subject)
        case _:
            assert_never(subject)


def _expected_in_git(subject: GitFile | Commits | PullNote | CommitNote) -> str:
    match subject:
        case GitFile():
            return f"{subject.file} on {subject.branch} {subject.comparison}"
        case Commits():
            return f"{subject.count} {'commit' if subject.count == 1 else 'commits'} on {subject.branch} matching {subject.matching}"
        case PullNote():
            claims = [
                f"{subject.comments} {'comment' if subject.comments == 1 else 'comments'}" if subject.comments is not None else "",
                f"the last comment {subject.text}" if subject.text else "",
                f"status {subject.status}" if subject.status else "",
            ]
            return f"pull request “{subject.title}”: " + ", ".join(claim for claim in claims if claim)
        case CommitNote():
            claims = [f"status {subject.status}" if subject.status else "", f"its description {subject.text}" if subject.text else ""]
            return f"commit “{subject.subject}”: " + ", ".join(claim for claim in claims if claim)


def describe(action: Action) -> str:
    """What a step does, for a step that has no name."""
    match action:
        case Push():
            return f"{action.author.partition(' <')[0]} pushes “{action.message}”" + (" through a pull request" if action.pull else "")
        case ObjectPatch():
            return f"patch {action.target}"
        case Verb():
            return "$ " + " ".join(action.words)
        case BehaviourChange():
            return "; ".join(f"{image} {behaves(behaviour)}" for image, behaviour in action.images.items())
        case TrafficChange():
            return "; ".join(f"traffic {name}: {flow.rate:g} requests/s" for name, flow in action.flows.items())
        case FaultOrder():
            return f"fault: {action.target} {_fault(action)}"
        case DaemonOrder():
            return ORDERS[action.order]
        case Expect() | Together():
            return ""
        case _:
            assert_never(action)


def behaves(behaviour: Behaviour) -> str:
    """How an image behaves, in words."""
    claims = {
        "crashes": behaviour.crash,
        "hangs": behaviour.hang,
        f"answers {behaviour.error_rate:.0%} with {behaviour.error_status}": bool(behaviour.error_rate),
        f"answers after {behaviour.latency:g} s": bool(behaviour.latency),
        f"fails after {behaviour.errors_after_requests} requests": behaviour.errors_after_requests is not None,
    }
    return " and ".join(claim for claim, true in claims.items() if true) or f"answers as {behaviour.version}"


def _fault(fault: FaultOrder) -> str:
    effect = f"answers {fault.status}" if fault.status else "cuts connections" if fault.cut else f"answers {fault.delay:g} s late"
    after = " after the work is done" if fault.after else ""
    times = f", {fault.times} times" if fault.times else f" for {fault.lasting:g} s" if fault.lasting else ""
    return effect + after + times
