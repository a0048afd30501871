"""Shows that rows can fail: breaks a copy of the program, one safeguard at a time; the rows that watch it go red."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.fault.runner import ROOT

_COPIED = ("dlexp", "cli", "conf", "tests", "benchmarks", "docs", "pyproject.toml")
_SEED = 1


@dataclass(frozen=True)
class Mutation:
    """One safeguard taken out.

    Attributes:
        name: On the command line.
        without: What the program lacks then, in words.
        file: That is changed.
        before: Text that stands in it once.
        after: What takes its place.
        row: That must fail.
        num: Attempts within which it must.
        second: File, text and what takes its place, of a safeguard that stands behind.
    """

    name: str
    without: str
    file: str
    before: str
    after: str
    row: str
    num: int
    second: tuple[str, str, str] | None = None


MUTATIONS = [
    Mutation(
        "plain-write",
        "a new file that takes the old one's place whole",
        "dlexp/disk/durable.py",
        'fresh = path.with_name(f".{path.name}.{os.getpid()}.new")',
        "fresh = path",
        "file-replaced",
        5,
    ),
    Mutation(
        "no-history-seal",
        "the seal of a history in its checkpoint",
        "dlexp/run/history.py",
        "is_whole = len(lines) >= last_epoch and (seal is None or _is_sealed(lines, last_epoch, seal))",
        "is_whole = len(lines) >= last_epoch",
        "history-damaged",
        48,
    ),
    Mutation(
        "no-hash",
        "the SHA-256 of a checkpoint's files",
        "dlexp/engine/checkpoint.py",
        "if len(contents[name]) != size or hashlib.sha256(contents[name]).hexdigest() != digest:",
        "if len(contents[name]) != size:",
        "bit-flipped",
        56,
    ),
    Mutation(
        "no-run-lock",
        "the lock of a run",
        "dlexp/run/lock.py",
        "        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "        pass\n",
        "stopped",
        3,
    ),
    Mutation(
        "no-creation-lock",
        "the lock of a store that is being made",
        "dlexp/tracking/store.py",
        "                lock.acquire(_CREATE_SECONDS)\n",
        "",
        "sent-at-once",
        5,
    ),
    Mutation(
        "any-archive",
        "the list of files of torch.export that may be read",
        "dlexp/export/pt2.py",
        "    if not trust.knows_file(digest):\n",
        "    if False:\n",
        "exported-damaged",
        21,
    ),
    Mutation(  # of two walls, one alone holds
        "no-allow-list",
        "the allow-list of targets, and the trust behind it",
        "dlexp/config/check.py",
        '    package = target.split(".")[0]\n',
        "    return target\n",
        "target-refused",
        33,
        ("dlexp/config/trust.py", "    return package in _granted\n", "    return True\n"),
    ),
]


def copy_tree(place: Path) -> None:
    """Copy the sources, with the folders that install into the package in their places."""
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "golden"))
        else:
            shutil.copy(ROOT / name, place / name)
    for name in ("cli", "conf"):
        (place / "dlexp" / name).symlink_to(place / name)


def attack(place: Path, mutation: Mutation, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the row that watches the safeguard, on the copy."""
    command = [sys.executable, "-m", "tests.fault", "--row", mutation.row, "--seed", str(_SEED), "--until-red", *more]
    around = {**os.environ, "PYTHONPATH": str(place)}
    return subprocess.run(command, cwd=place, env=around, capture_output=True, text=True, check=False)


def is_caught(mutation: Mutation, place: Path) -> bool:
    """Say whether the row fails with the safeguard taken out, in an attempt that passes with it."""
    changes = [(mutation.file, mutation.before, mutation.after), *([mutation.second] if mutation.second else [])]
    whole = {file: (place / file).read_text() for file, _, _ in changes}
    for file, before, after in changes:
        assert whole[file].count(before) == 1, f"{mutation.name}: {file} has changed; mend the mutation"
        (place / file).write_text(whole[file].replace(before, after))
    broken = attack(place, mutation, "--n", str(mutation.num))
    for file, text in whole.items():
        (place / file).write_text(text)
    told = re.search(r"attempt (\d+): (.*)", broken.stdout)
    if told is None:
        print(f"{mutation.name}: {mutation.row} stays green\n{broken.stdout[-500:]}{broken.stderr[-500:]}", flush=True)
        return False
    number = int(told[1])
    control = attack(place, mutation, "--skip", str(number), "--n", str(number + 1))
    is_red_anyway = control.returncode != 0
    end = "red with the safeguard too" if is_red_anyway else "red, and green with the safeguard"
    print(f"{mutation.name}: {mutation.row}, attempt {number}: {end} ({told[2][:160]})", flush=True)
    return not is_red_anyway


def mutate(names: list[str]) -> int:
    """Take out each safeguard, or those named; return 1 where a row stays green, else 0."""
    chosen = [mutation for mutation in MUTATIONS if not names or mutation.name in names]
    caught = 0
    with tempfile.TemporaryDirectory(prefix="mutated-") as folder:
        copy_tree(Path(folder))
        for mutation in chosen:
            caught += is_caught(mutation, Path(folder))
    print(f"{caught} of {len(chosen)} safeguards are watched")
    return 0 if caught == len(chosen) else 1
