"""Passwords: never shown, never written; what refers to the environment is resolved where it is used and only there."""

import os
import re
from urllib.parse import urlsplit

from dlexp.error import EnvironmentFault

HIDDEN = "***"
_REFERENCE = re.compile(r"\$\{oc\.env:\s*([^},\s]+)\s*(?:,([^}]*))?\}")
# scheme://user:password@host; a password may hold an @, and ends at the last one before the host's end
_USER = re.compile(r"(?<![\w+.-])([A-Za-z][\w+.-]*://)([^\s/'\"?#]*)@")
_QUERY = re.compile(r"(?i)([?&](?:\w*password|\w*token|\w*secret|api_?key|sig)=)[^&\s'\"]+")


def redact(text: str) -> str:
    """Return a text with the password of every URI in it replaced by ***; references to the environment stay."""
    return _QUERY.sub(lambda match: match[1] + _hide(match[0][len(match[1]) :]), _USER.sub(_without_password, text))


def has_password(uri: str) -> bool:
    """Say whether a URI holds a password as it is, not as a reference to the environment."""
    return redact(uri) != uri


def variables(uri: str) -> list[str]:
    """Return the names of the environment's variables that a URI refers to as ``${oc.env:NAME}``."""
    return [match[1] for match in _REFERENCE.finditer(uri)]


def host(uri: str) -> str:
    """Return scheme, host and port of a URI, which is where a secret in it would go."""
    parts = urlsplit(_REFERENCE.sub("x", uri))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def reveal(uri: str) -> str:
    """Return a URI with its references to the environment resolved, for the moment of its use.

    Raises:
        EnvironmentFault: A variable is not set.
    """
    return _REFERENCE.sub(lambda match: _value(match[1], match[2], uri), uri)


def _value(name: str, default: str | None, uri: str) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise EnvironmentFault(f"{uri}: the environment has no {name}; set it")
    return value


def _without_password(match: re.Match[str]) -> str:
    user, colon, password = match[2].partition(":")
    if colon:
        return f"{match[1]}{user}:{_hide(password)}@"
    is_token = match[1].lower().startswith("http")  # http://TOKEN@host; the user of a database alone is no secret
    return f"{match[1]}{_hide(user) if is_token else user}@"


def _hide(secret: str) -> str:
    return secret if not secret or _REFERENCE.fullmatch(secret) else HIDDEN
