"""What a command finds around it: no terminal, a small or a dumb one, another locale, no home, nowhere to write."""

import fcntl
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.fault.bits import bits_of_run, require_equal, run_folder
from tests.fault.process import Done, dlexp
from tests.fault.promise import Attempt, NotPossible, Row
from tests.fault.row.damaged import QUICK, numbers, two_runs
from tests.fault.runner import ROOT

BRIEF = [word for word in QUICK[1:] if word != "runs_dir=runs"]
COMMANDS: dict[str, list[str]] = {
    "help": ["--help"],
    "config": ["config", "data=wine"],
    "options": ["options", "optimizer"],
    "refusal": ["config", "model=nope"],
    "runs": ["runs"],
    "show": ["show", "last"],
    "compare": ["compare", "FIRST", "last"],
    "eval": ["eval", "last"],
    "predict": ["predict", "last", "PLACE/x.npy"],
    "train": ["train", *BRIEF, "seed=0", "runs_dir=PLACE/fresh"],
    "train here": ["train", *BRIEF],
    "sweep": ["sweep", *BRIEF, "seed=0,1", "runs_dir=PLACE/fresh"],
}
ON_RUNS = ("runs", "show", "compare", "eval", "predict")
HOMELESS: dict[str, str | None] = dict.fromkeys(
    ("HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR")
)
SETTINGS: dict[str, dict[str, str | None]] = {  # variables; None takes one away
    "no terminal": {"TERM": None},
    "a dumb terminal": {"TERM": "dumb"},
    "a terminal of 40 columns": {"TERM": "xterm-256color"},
    "an unknown terminal": {"TERM": "no-such"},
    "the locale C": {"LC_ALL": "C", "PYTHONUTF8": None, "PYTHONCOERCECLOCALE": None},
    "ASCII alone": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "no home": HOMELESS,
    "a user without a name": HOMELESS,
    "a read-only working directory": {},
}
WIDTHS = {"a dumb terminal": 100, "a terminal of 40 columns": 40, "an unknown terminal": 100}
CASES = [(setting, command) for setting in SETTINGS for command in COMMANDS]
NAMELESS = ["unshare", "--user", "--map-user=54321"]  # no such user is known here
ESCAPE = "\x1b"


def surrounded(attempt: Attempt) -> None:
    """Give a command in a setting; exit code, words and numbers are those of everywhere."""
    setting, command = CASES[attempt.case]
    source = two_runs(attempt)
    first = json.loads((source / "names.json").read_text())[0]
    with places(setting) as (place, work):
        shutil.copytree(source / "runs", place / "runs")
        shutil.copy(source / "x.npy", place / "x.npy")
        words = [word.replace("PLACE", str(place)) for word in COMMANDS[command]]
        words = [first.partition("-")[0] if word == "FIRST" else word for word in words]
        words += ["--runs-dir", str(place / "runs")] if command in ON_RUNS else []
        done = run(words, setting, work)
        judge(done, command, f"{command}, {setting}")
        if command == "train":
            require_equal(
                bits_of_run(next((source / "runs").glob(f"*/{first}"))), bits_of_run(run_folder(place / "fresh"))
            )
        if command in ("compare", "eval", "predict"):
            told = run([*words, "--json"], setting, work)
            expected = dlexp(*words, "--json")
            assert numbers(expected), expected.err
            require_equal(numbers(expected), numbers(told))
    if setting not in WIDTHS or setting == "a dumb terminal":
        assert ESCAPE not in done.out + done.err, f"{command}, {setting}: {done.out[:200]!r}{done.err[:200]!r}"


@contextmanager
def places(setting: str) -> Iterator[tuple[Path, Path]]:
    """Yield a folder for runs, and the working directory."""
    place, work = Path("place").absolute(), Path("work").absolute()
    place.mkdir()
    work.mkdir()
    if setting != "a read-only working directory":
        yield place, work
        return
    mounted = ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "dlexp", str(work)]
    if os.geteuid() != 0 or subprocess.run(mounted, capture_output=True, check=False).returncode != 0:
        raise NotPossible("no right to mount a disk")
    try:
        yield place, work
    finally:
        subprocess.run(["umount", "-l", str(work)], check=False)


def run(words: list[str], setting: str, work: Path) -> Done:
    """Run a command in a process of its own."""
    around: dict[str, str] = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT))}
    around.pop("COLUMNS", None)
    for name, value in SETTINGS[setting].items():
        around.pop(name, None)
        around |= {} if value is None else {name: value}
    how: dict[str, Any] = {"env": around, "cwd": work, "start_new_session": True}
    command = [sys.executable, "-c", "from dlexp.cli import main; main()", *words]
    if setting == "a user without a name":
        if subprocess.run([*NAMELESS, "true"], capture_output=True, check=False).returncode != 0:
            raise NotPossible("no right to be another user")
        command = [*NAMELESS, *command]
    if setting in WIDTHS and "--json" not in words:
        return on_terminal(command, WIDTHS[setting], how)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, **how)
    out, err = (
        stream.decode("ascii" if setting == "ASCII alone" else "utf-8") for stream in (done.stdout, done.stderr)
    )
    return Done(done.returncode, out, err)


def on_terminal(command: list[str], columns: int, how: dict[str, Any]) -> Done:
    """Run a command on a terminal that wide; both streams are in `out`."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, **how) as process:
        os.close(slave)
        read = b""
        with suppress(OSError):  # the terminal's other end is closed
            while piece := os.read(master, 65_536):
                read += piece
        os.close(master)
        code = process.wait()
    return Done(code, read.decode(), "")


def judge(done: Done, command: str, where: str) -> None:
    """Require the exit code of everywhere, and words."""
    text = done.out + done.err
    assert "Traceback" not in text, f"{where}: {text[-500:]}"
    assert "internal error" not in text, f"{where}: {text[-300:]}"
    is_refused = command == "refusal" or (command == "train here" and "read-only" in where)
    assert done.code == (2 if is_refused else 0), f"{where}: exit {done.code}: {text[-300:]}"
    assert text.strip(), f"{where}: not a word"


ROWS = [
    Row(
        "surrounded",
        "Whatever is around a command, its exit code and its numbers are the same; a dumb or no terminal gets no codes",
        f"{len(COMMANDS)} commands x {', '.join(SETTINGS)}",
        surrounded,
        fast=0,
        full=len(CASES),
        limit=180.0,
    ),
]
