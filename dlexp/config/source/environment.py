"""Values of the environment, such as ``${oc.env:TOKEN}``, and secrets: these are stored as references, never as values.

What is put into a file, on the screen or into MLflow goes through `redact`; what is used, through
`dlexp.config.source.reference`.
"""

import os
import re
from typing import Any

import yaml

from dlexp.config import catalog

HIDDEN = "***"
_SECRET_NAME = re.compile(r"token|passw|secret|credential|api_?key|access_?key", re.IGNORECASE)
# after two slashes, or more of them but for the paths of databases and files
_PASSWORD = re.compile(
    r"((?<=\w)(?:://|(?<!sqlite)(?<!file):/{3,})[^\s/@:]*:)(?!\d+(?:/|\s|$)|\$\{oc\.env:\w+\}@)[^\s'\"]*(?=@)"
)
_USER_TOKEN = re.compile(r"(https?://)[^\s/@:]+(?=@)")
_QUERY = re.compile(r"([?&]\w*(?:token|passw|secret|key|sig)\w*=)[^&\s'\"]+", re.IGNORECASE)
_secret: set[str] = set()  # names of variables that this process has used as secrets; what they hold may change


def variables(text: Any) -> set[str]:
    """Return the names of the environment's variables that a value refers to."""
    return set(re.findall(r"oc\.env\s*:\s*['\"]?(\w+)", str(text)))


def with_references(config: dict[str, Any], references: dict[str, Any]) -> dict[str, Any]:
    """Return a checked configuration with secrets as the references that they were written as.

    A secret is a variable whose name says so (TOKEN, PASSWORD, SECRET, ...), and any that `tracking.uri` refers
    to. The reference stands for the value wherever another value was made of it.

    Args:
        config: Resolved.
        references: What was written as a reference, by key, from `dlexp.config.compose`.
    """
    names = {name for key, text in references.items() for name in variables(text) if _is_secret(key, name)}
    secrets = {name: value for name in names if (value := os.environ.get(name))}
    if not secrets:
        return config
    _secret.update(secrets)
    return {name: _hide(node, name, references, secrets) for name, node in config.items()}


def _is_secret(key: str, name: str) -> bool:
    return key == "tracking.uri" or _SECRET_NAME.search(name) is not None


def _hide(value: Any, key: str, references: dict[str, Any], secrets: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _hide(inner, f"{key}.{name}", references, secrets) for name, inner in value.items()}
    return _referred(value, secrets) if key in references else value


def _referred(value: Any, secrets: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_referred(item, secrets) for item in value]
    if not isinstance(value, str):
        return value
    pattern = "|".join(re.escape(secret) for secret in sorted(secrets.values(), key=len, reverse=True))
    names = {secret: name for name, secret in secrets.items()}
    return re.sub(pattern, lambda match: f"${{oc.env:{names[match[0]]}}}", value)


def from_environment(value: Any, reference: Any) -> Any:
    """Return the number, truth value or list that a text of the environment stands for, where a key takes no text."""
    if not isinstance(value, str) or not variables(reference):
        return value
    try:
        return yaml.load(value, catalog.Loader)
    except yaml.YAMLError:
        return value


def hide_variables_of(text: str) -> None:
    """Have `redact` put the reference in place of the value of each variable that a text refers to."""
    _secret.update(variables(text))


def hide_passwords(text: str) -> str:
    """Return a text without what stands for a password or token in its addresses."""
    text = _PASSWORD.sub(rf"\1{HIDDEN}", text)
    text = _USER_TOKEN.sub(rf"\1{HIDDEN}", text)
    return _QUERY.sub(rf"\1{HIDDEN}", text)


def redact(text: str) -> str:
    """Return a text for people without passwords of addresses and without the secrets that this process has used.

    A secret is what its variable holds now; where it stands by chance it is hidden as well, so what is read again, such
    as the address of a store, goes through `hide_passwords` alone.
    """
    text = hide_passwords(text)
    for name in sorted(_secret):
        secret = os.environ.get(name, "")
        if len(secret) > 3:  # a shorter one stands in ordinary words
            text = text.replace(secret, f"${{oc.env:{name}}}")
    return text


def redact_all(value: Any) -> Any:
    """Return nested dicts and lists with every text redacted."""
    if isinstance(value, dict):
        return {key: redact_all(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redact_all(item) for item in value]
    return redact(value) if isinstance(value, str) else value
