"""Damaged files of a run: the same answer, or one line; never another number, never an error of our own."""

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.fault.bits import differences, require_equal, stripped
from tests.fault.process import Done, dlexp
from tests.fault.promise import Attempt, Row
from tests.fault.row.killed import COMMON, TRAIN, kill_training, trained, undisturbed
from tests.job.test_damaged import DAMAGE, FILES, damage

QUICK = ["train", *COMMON, "data=wine", "trainer.epochs=2", "model.widths=[4]"]
COMMANDS: dict[str, list[str]] = {
    "runs": ["runs", "--json"],
    "show": ["show", "RUN", "--json"],
    "note": ["note", "RUN", "a word", "--json"],
    "rm": ["rm", "RUN", "--json"],
    "compare": ["compare", "RUN", "other", "--json"],
    "eval": ["eval", "RUN", "--json"],
    "predict": ["predict", "RUN", "x.npy", "--json"],
    "resume": ["train", "--resume", "RUN", "--json"],
    "verify": ["train", "--verify-trial", "RUN", "--json"],
}
CASES = [(command, file) for command in COMMANDS for file in FILES]
READERS = ("eval", "predict", "compare", "resume")
FLIPPED = [(command, file) for command in READERS for file in FILES]
EACH_FILE = 5  # bits
NUMBERS = ("metrics", "predictions", "pairs")  # of what a command prints


def two_runs(attempt: Attempt) -> Path:
    """Return a folder with two runs and an input; trained once for all attempts."""
    place = attempt.shared / "two-runs"
    if not (place / "ready").exists():
        import numpy as np

        place.mkdir(exist_ok=True)
        os.chdir(place)
        for seed in (0, 1):
            assert dlexp(*QUICK, f"seed={seed}").code == 0
        names = sorted(path.parent.name for path in Path("runs").glob("*/*/manifest.json"))
        (place / "names.json").write_text(json.dumps(names))
        np.save("x.npy", np.zeros((2, 13), dtype=np.float32))
        (place / "ready").touch()
        os.chdir(attempt.place)
    return place


def answer(command: str, run: str, other: str) -> Done:
    words = [{"RUN": run, "other": other}.get(word, word) for word in COMMANDS[command]]
    return dlexp(*words, "--runs-dir", "runs")


def every_damage(attempt: Attempt) -> None:
    """Damage one file of a run in every way and give one command."""
    command, file = CASES[attempt.case]
    faults = faults_after(attempt, command, file, {kind: partial(damage, kind=kind) for kind in DAMAGE})
    assert not faults, f"{len(faults)} of {len(DAMAGE)}: " + " | ".join(faults[:3])


def flipped(attempt: Attempt) -> None:
    """Flip bits of one file of a run, one at a time anywhere in it, and give one command."""
    command, file = FLIPPED[attempt.case]
    places = [attempt.chance.random() for _ in range(EACH_FILE)]
    ways = {f"the bit at {place:.6f} of it": partial(flip, place=place) for place in places}
    faults = faults_after(attempt, command, file, ways)
    assert not faults, f"{len(faults)} of {EACH_FILE}: " + " | ".join(faults[:3])


def flip(path: Path, place: float) -> None:
    """Flip the bit that stands at a share of a file."""
    whole = bytearray(path.read_bytes())
    byte, bit = divmod(int(place * 8 * len(whole)), 8)
    if whole:
        whole[byte] ^= 1 << bit
    path.write_bytes(whole)


def faults_after(attempt: Attempt, command: str, file: str, ways: dict[str, Callable[[Path], None]]) -> list[str]:
    """Damage one file of a run in each of the ways, give a command, and return what was wrong with its answers."""
    source = two_runs(attempt)
    run, other = (name.partition("-")[0] for name in json.loads((source / "names.json").read_text()))
    shutil.copy(source / "x.npy", "x.npy")
    shutil.copytree(source / "runs", "runs")
    expected = numbers(answer(command, run, other))
    faults = []
    for told, change in ways.items():
        shutil.rmtree("runs")
        shutil.copytree(source / "runs", "runs")
        (folder,) = Path("runs").glob(f"*/{run}-*")
        change(folder / file)
        if fault := fault_of(answer(command, run, other), command, expected):
            faults.append(f"{command}, {file}, {told}: {fault}")
    return faults


def numbers(done: Done) -> dict[str, Any]:
    """Return the numbers of what a command printed."""
    try:
        document = json.loads(done.out)
    except ValueError:
        return {}
    return {key: stripped(document.get(key)) for key in NUMBERS} if isinstance(document, dict) else {}


def fault_of(done: Done, command: str, expected: dict[str, Any]) -> str:
    """Return what is wrong with an answer; "" for nothing."""
    text = done.err + done.out
    if "internal" in text or "Traceback" in text:
        return text[-300:]
    if done.code not in (0, 1, 2):
        return f"exit {done.code}: {text[-200:]}"
    if done.code != 0:
        is_difference = command == "verify" and done.code == 1 and '"is_bitwise": false' in done.out
        return "" if "error" in text or is_difference else f"exit {done.code} without a word"
    if command in ("runs", "show", "note", "rm"):
        return ""
    unequal = differences(expected, numbers(done))
    return f"other numbers: {unequal[0]}" if unequal else ""


def history_damaged(attempt: Attempt) -> None:
    """Damage the history of an interrupted run; going on gives the same bits or a refusal, never other numbers."""
    expected = undisturbed(attempt, "train", TRAIN, trained)
    kill_training(attempt, 3, 30)
    (path,) = Path("runs").glob("*/*/metrics.jsonl")
    path.write_bytes(b"".join(line + b"\n" for line in damaged(path.read_bytes().splitlines(), attempt)))
    done = dlexp("train", "--resume", "last", "--runs-dir", "runs")
    if done.code == 0:
        require_equal(expected, trained(Path("runs")))
    else:
        assert done.code == 2, done.err
        assert "metrics.jsonl: damaged" in done.err, done.err


def damaged(lines: list[bytes], attempt: Attempt) -> list[bytes]:
    """Return the lines of a history changed in a way that JSON alone does not show."""
    chance = attempt.chance
    i, j = sorted(chance.sample(range(len(lines)), 2))
    record = json.loads(lines[i])
    key = chance.choice([key for key in record if "/" in key])
    record[key] = chance.choice([0.0, 1.0, record[key] + 1e-6, record[key] * 1.01])
    ways = [
        lines[:i] + lines[i + 1 :],
        lines[: len(lines) // 2],
        [],
        [*lines[:i], lines[j], *lines[i + 1 : j], lines[i], *lines[j + 1 :]],
        [*lines[:i], json.dumps(record).encode(), *lines[i + 1 :]],
        [*lines[:i], lines[i][: len(lines[i]) // 2], *lines[i + 1 :]],
        [*lines[:j], *lines[i:]],
        [line.replace(b"\n", b" ") for line in [b" ".join(lines)]],
    ]
    return ways[attempt.case % len(ways)]


ROWS = [
    Row(
        "file-damaged",
        "A damaged file of a run is one line with exit 1 or 2, or does not matter; no number changes",
        f"{len(FILES)} files x {len(DAMAGE)} damages (emptied, halved, other JSON, garbage, a flipped bit, deleted, a "
        f"folder, a dangling link ...) x {len(COMMANDS)} commands",
        every_damage,
        fast=2,
        full=len(CASES),
        each=len(DAMAGE),
    ),
    Row(
        "bit-flipped",
        "A bit of a run's file that flips is one line with exit 1 or 2, or does not matter; no number changes",
        f"one bit of one of {len(FILES)} files, anywhere in it, then {', '.join(READERS)}",
        flipped,
        fast=1,
        full=len(FLIPPED),
        each=EACH_FILE,
    ),
    Row(
        "history-damaged",
        "A history that was changed is refused on resume, or the result is that of the run left alone",
        "lines of an interrupted run's history deleted, swapped, repeated, halved, joined or given another number",
        history_damaged,
        fast=2,
        full=48,
    ),
]
