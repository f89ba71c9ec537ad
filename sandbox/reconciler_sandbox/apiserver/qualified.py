"""Keys and values of labels, and other names that may carry a domain: what is wrong with one, in a real server's words."""

from reconciler_sandbox.apiserver import names

MAX_PART = 63
MAX_PREFIX = 253
PART = names.Rule(
    "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    "'MyName',  or 'my.name',  or '123-abc'",
)
VALUE = names.Rule(
    "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    "'MyValue',  or 'my_value',  or '12345'",
)


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} characters"


def name_complaints(name: str) -> list[str]:
    """What is wrong with a name like `example.com/part` or `part`."""
    prefix, slash, part = name.rpartition("/")
    if "/" in prefix:
        return [f"a qualified name {PART.why} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    found = _prefix_complaints(prefix) if slash else []
    if not part:
        found.append("name part must be non-empty")
    elif len(part) > MAX_PART:
        found.append(f"name part {_too_long(MAX_PART)}")
    if not PART.fits(part):
        found.append(f"name part {PART.why}")
    return found


def _prefix_complaints(prefix: str) -> list[str]:
    if not prefix:
        return ["prefix part must be non-empty"]
    found = [f"prefix part {_too_long(MAX_PREFIX)}"] if len(prefix) > MAX_PREFIX else []
    if not names.SUBDOMAIN.fits(prefix):
        found.append(f"prefix part {names.SUBDOMAIN.why}")
    return found


def value_complaints(value: str) -> list[str]:
    """What is wrong with the value of a label."""
    found = [_too_long(MAX_PART)] if len(value) > MAX_PART else []
    if not VALUE.fits(value):
        found.append(VALUE.why)
    return found
