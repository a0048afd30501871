"""Names of runs: an id that sorts by time and is typed by its first letters, and a slug that says what differs."""

import re
import secrets
import time
from pathlib import Path

from dlexp.config.relevance import tells_runs_apart

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH_MS = 1_735_689_600_000  # 2025-01-01 UTC
_SLUG_LENGTH = 48


def new_run_id() -> str:
    """Return 8 characters of time (milliseconds since 2025, base 32) and 3 of chance: sorted, and unique in practice.

    Runs more than 17 minutes apart already differ in their first four characters.
    """
    moment = int(time.time() * 1000) - _EPOCH_MS
    digits = [_ALPHABET[(moment >> shift) & 31] for shift in range(35, -1, -5)]
    return "".join(digits) + "".join(secrets.choice(_ALPHABET) for _ in range(3))


def slug(overrides: list[str]) -> str:
    """Return a short name made of what the user set, such as "resnet-lr0.1-epochs30"; "default" for nothing.

    A group's choice gives its option's name (`dropout=none`: "no-dropout"), a key its last part and its value. Where
    the run is written and tracked does not matter.
    """
    words = []
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if not tells_runs_apart(key):
            continue
        if "." in key or key == "seed":
            words.append(f"{key.rpartition('.')[2]}{value}")
        else:
            words.append(f"no-{key}" if value == "none" else value)
    return clean("-".join(words)) or "default"


def clean(text: str) -> str:
    """Return the text with all but letters, digits and `._-=` replaced, short enough for a folder's name."""
    return re.sub(r"[^A-Za-z0-9._=-]+", "-", text)[:_SLUG_LENGTH].strip("-.")


def place(runs_dir: Path, experiment: str, slug: str, run_id: str) -> Path:
    """Return the path of a run's folder, ``runs_dir/experiment/<run_id>-<slug>``, whether it is there or not."""
    return runs_dir / clean(experiment) / f"{run_id}-{clean(slug) or 'default'}"
