"""Which of several policies speaks for a workload, and why: nearest wins, equals are an error that names both (ADR 0027). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.kernel.errors import Terminal
from reconciler.releases.policies.policy import DEFAULT, ReleasePolicy, WorkloadName

Ranks = Iterable[tuple[str, Sequence[ReleasePolicy]]]
"""Kind and policies, nearest first."""


@dataclass(frozen=True, slots=True)
class PolicyChoice:
    """The policy that judges, the kind it was found under (empty: the shipped default), and those that it goes before."""

    policy: ReleasePolicy
    kind: str = ""
    beaten: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is this one, in words."""
        if not self.kind:
            return "no policy speaks for it: the defaults that are shipped"
        if self.policy.workloads:
            return "it names this workload"
        return f"it speaks for every workload{f' of namespace {self.policy.namespace}' if self.policy.namespace else ''}"


def choose(ranks: Ranks, namespace: str, names: Sequence[WorkloadName]) -> PolicyChoice:
    """The nearest policy for a workload that may be called by any of these names. Raises Terminal when two of one rank claim it.

    Ranks behind the one that decides are not looked at.
    """
    for kind, policies in ranks:
        matching = [policy for policy in policies if _concerns(policy, namespace, names)]
        exact = [policy for policy in matching if policy.workloads] or matching
        if len(exact) > 1:
            both = " and ".join(sorted(policy.name for policy in exact))
            raise Terminal(
                f"{kind} objects {both} both claim {names[0].kind} {namespace}/{names[0].name}: name the workload in only one of them"
            )
        if exact:
            return PolicyChoice(exact[0], kind, tuple(f"{kind} {policy.name}" for policy in matching if policy is not exact[0]))
    return PolicyChoice(DEFAULT)


def farther(ranks: Ranks, choice: PolicyChoice, namespace: str, names: Sequence[WorkloadName]) -> tuple[str, ...]:
    """The policies of ranks behind the one that decided which speak for the workload, too."""
    found, passed = [], False
    for kind, policies in ranks:
        if passed:
            found += [f"{kind} {policy.name}" for policy in policies if _concerns(policy, namespace, names)]
        passed = passed or kind == choice.kind
    return tuple(found)


def _concerns(policy: ReleasePolicy, namespace: str, names: Sequence[WorkloadName]) -> bool:
    return any(policy.concerns(namespace, name.kind, name.name) for name in names)
