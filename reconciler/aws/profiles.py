"""Profiles: the files that AWS's tools keep credentials in, as far as nothing has to be started or asked of a person for them.

Shapes: "Configuration and credential file settings" (docs.aws.amazon.com/cli). A profile has keys, or a role that is assumed with another
profile's keys or with a token in a file. What starts a program (`credential_process`) or needs a browser (`sso_…`) is refused by name.
"""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.aws.signing import Keys
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of

LARGEST = 1 << 20
REFUSED = ("credential_process", "credential_source", "sso_session", "sso_start_url", "mfa_serial")


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile: keys of its own, or a role and what it is assumed with."""

    name: str
    keys: Keys | None = None
    role: str = ""
    source: str = ""
    """The profile whose keys assume the role."""
    token_file: str = ""
    external: str = ""


def find_profile(variables: Mapping[str, str], name: str) -> Profile | None:
    """A profile of the two files; None when neither has it. Raises Terminal for files and profiles that cannot be used."""
    home = variables.get("HOME", "")
    files = (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config"))
    shared, settings = (_sections(variables.get(word) or (f"{home}/.aws/{file}" if home else "")) for word, file in files)
    told = {**settings.get("default" if name == "default" else f"profile {name}", {}), **shared.get(name, {})}
    return _profile(name, told) if told else None


def _sections(file: str) -> Mapping[str, Mapping[str, str]]:
    """The sections of a file; a file that is not there has none."""
    if not file:
        return {}
    path, parser = Path(file), configparser.RawConfigParser(default_section="", strict=False)
    try:
        if path.stat().st_size > LARGEST:
            raise Terminal(f"aws: {file} is larger than {LARGEST} bytes")
        parser.read_string(path.read_text())
    except FileNotFoundError:
        return {}
    except configparser.Error as error:  # its words quote the line, and with it perhaps a key
        raise Terminal(f"aws: {file} is no file of profiles ({type(error).__name__})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Terminal(f"aws: {file} cannot be read: {reason_of(error)}") from error
    return {section: dict(parser.items(section)) for section in parser.sections()}


def _profile(name: str, told: Mapping[str, str]) -> Profile:
    refused = next((word for word in REFUSED if told.get(word)), "")
    identity, secret = told.get("aws_access_key_id", ""), told.get("aws_secret_access_key", "")
    keys = Keys(identity, secret, told.get("aws_session_token", "")) if identity and secret else None
    role, source, token = (told.get(word, "") for word in ("role_arn", "source_profile", "web_identity_token_file"))
    usable = (source or token) if role else keys
    if refused or not usable:
        why = f"{refused} is not served" if refused else "it has no keys, and no role with a source_profile or a web_identity_token_file"
        raise Terminal(f"aws: profile {name!r} cannot be used: {why}")
    return Profile(name, keys, role, source, token, told.get("external_id", ""))
