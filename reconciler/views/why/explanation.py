"""What `explain` answers, as data: one sentence, then the rule, its value and limit, and what a person can do."""

from dataclasses import dataclass

from reconciler.views.why.counterfactual import Counterfactual


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer of `explain`. Fields that do not apply are empty."""

    sentence: str
    rule: str = ""
    value: str = ""
    limit: str = ""
    query: str = ""
    object: str = ""
    next: str = ""
    frozen: str = ""
    """What a person froze, whatever else is said."""
    preview: str = ""
    """How testers reach the new version, whatever else is said."""
    problems: tuple[str, ...] = ()
    """What is wrong with the source that applies it, as its inventory has it."""
    otherwise: tuple[Counterfactual, ...] = ()
    """What would have changed the verdict of its analyses, or still would."""
    compared: tuple[str, ...] = ()
    """How the newest release compares with its baseline, whatever else is said."""
