"""Names of runs and their folders: an id that sorts by time, a slug that says what differs, and no way out of a folder.

Every folder that is called by what somebody typed gets its name here. A folder's name is a label; what identifies an
experiment is its full name, which the manifest holds.
"""

import hashlib
import os
import re
import secrets
import time
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlexp.config.relevance import tells_runs_apart
from dlexp.config.source.defaults import read_defaults
from dlexp.disk.regular import read_bytes
from dlexp.run.jsonable import unsealed

if TYPE_CHECKING:
    from dlexp.run.folder import RunFolder

RESERVED = ("mlartifacts", "mlflow.db", "mlflow.lock", "ui.log")  # what else stands in a runs folder
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH_MS = 1_735_689_600_000  # 2025-01-01 UTC
_IDS = re.compile(rf"([{_ALPHABET}]{{11}}|[0-9a-f]{{12}})-")  # of runs, and of a sweep's trials
_LONG = re.compile(r"(?<![\w.])\d+\.\d{4,}(?:e[+-]?\d+)?(?![\w.])|(?<![\w.])\d(?:\.\d+)?e\+\d+(?![\w.])")
_LONGEST = 48  # characters
_MOST_BYTES = 120  # of UTF-8; a file's name has at most 255, and an id comes before


def new_run_id() -> str:
    """Return 8 characters of time (milliseconds since 2025, base 32) and 3 of chance: sorted, and unique in practice.

    Runs more than 17 minutes apart already differ in their first four characters.
    """
    moment = int(time.time() * 1000) - _EPOCH_MS
    digits = [_ALPHABET[(moment >> shift) & 31] for shift in range(35, -1, -5)]
    return "".join(digits) + "".join(secrets.choice(_ALPHABET) for _ in range(3))


def identity(path: Path | str) -> tuple[str, str]:
    """Return the id of the run in a folder, and what its folder is called beside that.

    The folder's name begins with the id; of a folder that a user renamed, the manifest has it.
    """
    name = os.path.basename(path)
    run_id, _, label = name.partition("-")
    if _IDS.match(name):
        return run_id, label
    try:
        recorded = unsealed(read_bytes(Path(path) / "manifest.json"))["run_id"]
    except (OSError, ValueError, KeyError):
        return run_id, label
    return (run_id, label) if recorded == run_id else (str(recorded), name)


def is_called(path: Path, ref: str) -> bool:
    """Say whether a run's folder, or its id, begins with what a user calls it."""
    return bool(ref) and (path.name.startswith(ref) or identity(path)[0].startswith(ref))


def relocated(value: Any, before: str, now: str) -> Any:
    """Return a result with each `run_dir` in it where it is, after the run's folder was moved or copied.

    Args:
        value: The result, or what is inside of it.
        before: Where the folder was when the result was written.
        now: Where it is.
    """
    if isinstance(value, list):
        return [relocated(item, before, now) for item in value]
    if not isinstance(value, dict):
        return value
    moved = {key: relocated(item, before, now) for key, item in value.items()}
    place = moved.get("run_dir")
    if isinstance(place, str) and (place == before or place.startswith(f"{before}/")):
        moved["run_dir"] = f"{now}{place.removeprefix(before)}"
    return moved


def located(result: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a result that was read in a folder, with the paths that it records where they are now."""
    before, now = result.get("run_dir"), os.path.abspath(path)
    return relocated(result, before, now) if isinstance(before, str) and before != now else result


def reference(folder: "RunFolder") -> str:
    """Return what commands find a run by: its id, or its new name, where they look by themselves, else its folder."""
    if folder.runs_dir.absolute() != read_defaults().runs_dir.absolute():
        return str(folder.path)
    run_id, label = identity(folder.path)
    return label if label == folder.path.name else run_id


def runs_dir_flags(runs_dir: Path) -> list[str]:
    """Return the option by which commands about all runs look in a folder; none where they do by themselves."""
    return [] if runs_dir.absolute() == read_defaults().runs_dir.absolute() else ["--runs-dir", str(runs_dir)]


def slug(overrides: list[str]) -> str:
    """Return a short name made of what the user set, such as "resnet-lr0.1-epochs30"; "default" for nothing.

    A group's choice gives its option's name (`dropout=none`: "no-dropout"), a key its last word and its value. Names
    begin with what tells runs of an experiment apart: the trainer's settings follow, and last those of the data, by
    which experiments are called, numbers with 4 or more decimals at 3 digits. Where the run is written and tracked does
    not matter.
    """
    pairs = [(key, value) for key, _, value in (override.lstrip("+~").partition("=") for override in overrides)]
    telling = sorted((pair for pair in pairs if tells_runs_apart(pair[0])), key=lambda pair: _place(pair[0]))
    return clean("-".join(_word(key, value) for key, value in telling)) or "default"


def _place(key: str) -> int:
    return {"trainer": 1, "data": 2}.get(key.partition(".")[0], 0)


def _word(key: str, value: str) -> str:
    if "." in key or key == "seed":
        return f"{key.rpartition('.')[2]}{_LONG.sub(_rounded, value)}"
    return f"no-{key}" if value == "none" else value


def _rounded(match: re.Match[str]) -> str:
    """Return a number at 3 digits, 1.23e5 without a sign that no name has; as it was where 0.99996 would become 1."""
    short = f"{float(match[0]):.3g}".replace("e+0", "e").replace("e+", "e")
    return short if short.strip("-0123456789") else match[0]


def clean(text: str) -> str:
    """Return the text with all but letters of any script, digits and `._-=` replaced, short enough for a folder's name.

    It never begins with a dot, so that it neither hides a folder nor leads out of its parent; "" where nothing is left.
    """
    composed = unicodedata.normalize("NFC", text)
    label = re.sub("-+", "-", "".join(character if _is_plain(character) else "-" for character in composed))
    while len(label.encode()) > _MOST_BYTES or len(label) > _LONGEST:
        label = label[:-1]
    return label.strip("-.")


def experiment_folder(experiment: str) -> str:
    """Return what the folder of an experiment is called: different names, different folders.

    A name that is no plain folder's name (a blank in it, too long, or taken by something else) gets 8 characters of its
    hash behind what is left of it.
    """
    label = clean(experiment)
    if label and label == experiment and label.lower() not in RESERVED:
        return label
    digest = hashlib.sha256(experiment.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{label or 'experiment'}-{digest}"


def place(runs_dir: Path, experiment: str, slug: str, run_id: str) -> Path:
    """Return the path of a run's folder, ``runs_dir/experiment/<run_id>-<slug>``, whether it is there or not."""
    return runs_dir / experiment_folder(experiment) / f"{run_id}-{clean(slug) or 'default'}"


def _is_plain(character: str) -> bool:
    return character.isalnum() or character in "._-=" or unicodedata.category(character).startswith("M")
