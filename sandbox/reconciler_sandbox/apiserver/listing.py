"""The options of lists and watches: which version, which match, and what of that makes no sense together."""

from collections.abc import Mapping

from reconciler_sandbox.apiserver.failures import Failure, bad_request
from reconciler_sandbox.client import Call

Query = Mapping[str, str]
MATCHES = ("Exact", "NotOlderThan")
FIELD = "resourceVersionMatch"
NEEDS_VERSION = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"


def number(query: Query, name: str) -> int:
    """A number of the query, 0 if it is absent. Raises Failure 400."""
    text = query.get(name) or "0"
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{text[:100]}": invalid syntax') from error


def version_of(query: Query) -> int:
    """The version asked for, 0 if none is. Raises Failure 400 for what is no version."""
    text = query.get("resourceVersion") or "0"
    if not text.isdigit() or len(text) > 18:
        why = f'strconv.ParseUint: parsing "{text[:100]}": invalid syntax'
        raise bad_request(f'resourceVersion: Invalid value: "{text[:100]}": {why}')
    return int(text)


def exact_version(query: Query) -> int:
    """The version whose state is asked for; 0 for a state of now. A limit without a match asks for it, too."""
    match, version = query.get(FIELD) or "", version_of(query)
    return version if match == "Exact" or (not match and number(query, "limit") > 0) else 0


def validate(query: Query) -> None:
    """Refuse options of a list that contradict each other. Raises Failure 400 or 422."""
    number(query, "timeoutSeconds")
    match, version = query.get(FIELD) or "", query.get("resourceVersion") or ""
    if query.get("continue") and version not in ("", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")
    if not match:
        return
    wrong = [NEEDS_VERSION] if not version else []
    if query.get("continue"):
        wrong.append("Forbidden: resourceVersionMatch is forbidden when continue is provided")
    if match not in MATCHES:
        wrong.append(f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""')
    elif (match, version) == ("Exact", "0"):
        wrong.append('Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    if wrong:
        raise _invalid(wrong)


def validate_watch(query: Query) -> bool:
    """Whether a watch begins with what is there. Raises Failure 422 for a match without that, or that without the match."""
    initial = query.get("sendInitialEvents") in ("true", "1")
    match = query.get(FIELD) or ""
    if match and "sendInitialEvents" not in query:
        raise _invalid(["Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"])
    if "sendInitialEvents" in query and match != "NotOlderThan":
        raise _invalid(["Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"])
    return initial


def _invalid(messages: list[str]) -> Failure:
    causes = [
        {"reason": "FieldValueForbidden" if text.startswith("Forbidden") else "FieldValueNotSupported", "message": text, "field": FIELD}
        for text in messages
    ]
    texts = [f"{FIELD}: {text}" for text in messages]
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = {"group": "meta.k8s.io", "kind": "ListOptions", "causes": causes}
    return Failure(422, "Invalid", f'ListOptions.meta.k8s.io "" is invalid: {text}', details)


def asks_to_watch(call: Call) -> bool:
    """Whether a GET of a collection is a watch: every value but these two says so."""
    return call.query.get("watch", "false").lower() not in ("false", "0")
