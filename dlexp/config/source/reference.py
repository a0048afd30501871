"""Texts that refer to the environment, such as ``http://me:${oc.env:TOKEN}@host``, resolved when they are used."""

import os
import re

from dlexp.error import ConfigError

_REFERENCE = re.compile(r"\$\{\s*oc\.env\s*:\s*['\"]?(\w+)['\"]?\s*(?:,\s*([^{}]*?)\s*)?\}")


def resolve_text(text: str) -> str:
    """Return a text with the environment's values in place of the references to them.

    Raises:
        ConfigError: A variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        if name not in os.environ and default is None:
            raise ConfigError(f"{match[0]}: got no environment variable {name}; set it and give the command again")
        return os.environ.get(name, default or "")

    return _REFERENCE.sub(value, text)
