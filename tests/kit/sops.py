"""SOPS for tests: the real programs where this machine has them, and a toy that ends and prints as they do (tests/contracts)."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = ("RECONCILER_REAL_SOPS", "sops"), ("RECONCILER_REAL_AGE_KEYGEN", "age-keygen")
SECRETS_ONLY = "^(data|stringData)$"
KINDS = ["toy", "real"]


@dataclass(frozen=True)
class Keyring:
    """A program that decrypts, and a key of age with which files are encrypted."""

    program: str
    key: Path
    recipient: str

    def sealed(self, name: str, text: str, regex: str = SECRETS_ONLY) -> str:
        """A file as `sops --encrypt` writes it; an empty `regex` encrypts every value."""
        place = self.key.parent / "plain" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
        words = [self.program, "--encrypt", "--age", self.recipient, *(["--encrypted-regex", regex] if regex else []), str(place)]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def keyring(kind: str, folder: Path) -> Keyring:
    """A keyring of the toy, or of the real programs; skips the test where they are not there."""
    folder.mkdir(exist_ok=True)
    key = folder / "key.txt"
    if kind == "toy":
        program = folder / "toy-sops"
        program.write_text(f"#!{sys.executable}\n{TOY}")
        program.chmod(0o755)
        key.write_text(f"AGE-SECRET-KEY-{folder.name}\n")
        return Keyring(str(program), key, f"age1-AGE-SECRET-KEY-{folder.name}")
    found = [os.environ.get(variable) or shutil.which(name) for variable, name in PROGRAMS]
    if not all(found):
        pytest.skip("there are no sops and age-keygen: name them in $RECONCILER_REAL_SOPS and $RECONCILER_REAL_AGE_KEYGEN")
    sops, keygen = map(str, found)
    subprocess.run([keygen, "-o", str(key)], check=True, capture_output=True)
    public = next(line for line in key.read_text().splitlines() if line.startswith("# public key: "))
    return Keyring(sops, key, public.removeprefix("# public key: "))


TOY = r"""
import base64, hashlib, json, os, pathlib, re, sys
import yaml

def stream(key, raw):
    pad = b"".join(hashlib.sha256(key.encode() + bytes([at])).digest() for at in range(len(raw) // 32 + 1))
    return bytes(one ^ other for one, other in zip(raw, pad))

def tag(key, text):
    return hashlib.sha256((key + text).encode()).hexdigest()[:16]

def closed(key, value):
    text, kind = (value, "str") if isinstance(value, str) else (json.dumps(value), type(value).__name__)
    sealed = base64.b64encode(stream(key, text.encode())).decode()
    return "ENC[AES256_GCM,data:%s,iv:AA==,tag:%s,type:%s]" % (sealed, tag(key, text), kind)

FORM = re.compile(r"ENC\[AES256_GCM,data:([^,]*),iv:AA==,tag:([^,]*),type:(\w+)\]")

def opened(key, sealed):
    data, mark, kind = FORM.fullmatch(sealed).groups()
    text = stream(key, base64.b64decode(data)).decode("utf-8", "replace")
    if tag(key, text) != mark:
        sys.exit(25)
    return text if kind == "str" else json.loads(text)

def walk(value, change, inside=False):
    if isinstance(value, dict):
        return {name: walk(part, change, inside or bool(regex and re.search(regex, name))) for name, part in value.items()}
    if isinstance(value, list):
        return [walk(part, change, inside) for part in value]
    return change(value, inside)

def leaves(value):
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        return "".join("%s=%s;" % (name, leaves(part)) for name, part in parts)
    return json.dumps(value)

words, file = sys.argv[1:], pathlib.Path(sys.argv[-1])
given = dict(zip(words, words[1:]))
regex, content = given.get("--encrypted-regex", ""), file.read_text()
lines = file.suffix == ".env"
tree = [dict(line.split("=", 1) for line in content.splitlines())] if lines else list(yaml.safe_load_all(content))
if "--encrypt" in words:
    key = given["--age"].removeprefix("age1-")
    sealed = [walk(one, lambda value, inside: closed(key, value) if inside or not regex else value) for one in tree]
    said = {"recipient": given["--age"], "mac": closed(key, leaves(tree)), "regex": regex}
    if lines:
        print("".join("%s=%s\n" % pair for pair in sealed[0].items()) + "".join("sops_%s=%s\n" % pair for pair in said.items()), end="")
    else:
        print(yaml.safe_dump_all([{**one, "sops": said} for one in sealed], sort_keys=False, width=10000), end="")
    sys.exit()
said = {name[5:]: tree[0].pop(name) for name in list(tree[0]) if name.startswith("sops_")} if lines else tree[0].get("sops")
tree = [{name: part for name, part in one.items() if name != "sops"} for one in tree]
named = os.environ.get("SOPS_AGE_KEY_FILE")
key = pathlib.Path(named).read_text().strip() if named else ""
if said["recipient"] != "age1-" + key:
    sys.exit(128)
plain = [walk(one, lambda value, inside: opened(key, value) if str(value).startswith("ENC[") else value) for one in tree]
if "mac" not in said or opened(key, said["mac"]) != leaves(plain):
    print("MAC mismatch: " + leaves(plain), file=sys.stderr)
    sys.exit(51)
if lines:
    plain = ["%s=%s" % pair for pair in plain[0].items()]
print("\n".join(plain) + "\n" if lines else yaml.safe_dump_all(plain, sort_keys=False), end="")
"""
