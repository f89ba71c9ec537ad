"""Hides in what kubectl prints all that differs from run to run: ids, times, ages, addresses, versions, generated names."""

import re

MASKS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
    (r'("?resourceVersion"?: )"?\d+"?', r"\1VERSION"),
    (r"\b\d+\.\d+\.\d+\.\d+\b", "ADDRESS"),
    (r"(?<=[\s,(:])\d+(\.\d+)?(ms|[smhd])(\d+[smh])?(?=[\s,)]|$)", "AGE"),
    (r"\bweb-[0-9a-z]{6,10}-[0-9a-z]{5}\b", "POD"),
    (r"\bweb-[0-9a-z]{6,10}\b", "SET"),
    (r"(pod-template-hash[=:\" ]+)[0-9a-z]{6,10}", r"\1HASH"),
    (r"(?<=:)3[0-2]\d{3}(?=/)", "PORT"),
    (r"https?://ADDRESS:\d+", "SERVER"),
    (r"-n battery-\w+ ", ""),
)
# How often a person is told to wait is a matter of speed.
PASSING = "Waiting for deployment"


def masked(text: str, replaced: dict[str, str]) -> str:
    """The text with the names of the run put back to what the command says, masks applied, and blanks counted once."""
    for found, word in replaced.items():
        text = text.replace(found, word)
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith(PASSING))
