"""Disks that are full, read-only, limited or gone: one line, and the same bits after the cure."""

import errno
import math
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.fault.bits import require_equal
from tests.fault.hook import Hook, refuse
from tests.fault.moment import halt_training, moment
from tests.fault.process import Command, Done, one_line
from tests.fault.promise import Attempt, NotPossible, Row, TooLate
from tests.fault.row.instant import THREE_EPOCHS
from tests.fault.row.killed import NUM_EPOCHS, TRAIN, begin_or_go_on, trained, undisturbed

REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)
MIB = 2**20
APART = 13  # operations between two that are refused


def mended(expected: object, words: list[str]) -> None:
    """Go on after the cure and compare; what could not even be begun is begun anew."""
    done = begin_or_go_on(words).done()
    assert done.code == 0, done.err
    require_equal(expected, trained(Path("runs")))


def told(done: Done) -> None:
    """Require success, or one line of the environment with exit 1."""
    if done.code == 2 and not any(Path("runs").glob("*/*/manifest.json")):
        line = one_line(done, 2)  # seen before anything was begun
        assert line.startswith("config error: runs_dir: "), line
    elif done.code != 0:
        line = one_line(done, 1)
        assert line.startswith("environment error: "), line


def refused(attempt: Attempt) -> None:
    """Have the disk refuse at one operation and at all that need space after it."""
    expected = undisturbed(attempt, "three-epochs", THREE_EPOCHS, trained)
    number = REFUSALS[attempt.case % len(REFUSALS)]
    hook = Hook(Path("runs"), attempt.case // len(REFUSALS) * APART + 1, refuse(number), lasts=True, is_growth=True)
    told(Command(*THREE_EPOCHS, prepare=hook.install).done())
    if not hook.has_acted:
        raise NotPossible("the training has fewer operations on files")
    mended(expected, THREE_EPOCHS)


@contextmanager
def small_disk(size: int) -> Iterator[Path]:
    """A disk of that many bytes, mounted at `runs`."""
    place = Path("runs").absolute()
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "dlexp", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        raise NotPossible("no right to mount a disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def full(attempt: Attempt) -> None:
    """Train on a disk with little room, then make room."""
    expected = undisturbed(attempt, "three-epochs", THREE_EPOCHS, trained)
    files = (attempt.shared / "three-epochs" / "runs").rglob("*")
    needed = sum(path.stat().st_size for path in files if path.is_file())
    with small_disk(64 * MIB) as place:
        with open(place / "filler", "wb") as filler:
            filler.write(bytes(64 * MIB - attempt.chance.randrange(needed)))
        done = Command(*THREE_EPOCHS).done()
        assert done.code, "it needs more than there is"
        told(done)
        (place / "filler").unlink()
        mended(expected, THREE_EPOCHS)


def remount(place: Path, way: str) -> bool:
    """Mount a disk `ro` or `rw`; a disk that has a file open for writing stays as it is."""
    command = ["mount", "-o", f"remount,{way}", str(place)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def read_only(attempt: Attempt) -> None:
    """Make the disk read-only at a random epoch, then writable again."""
    expected = undisturbed(attempt, "train", TRAIN, trained)
    with small_disk(64 * MIB) as place:
        command = Command(*TRAIN)
        halt_training(command, moment(attempt, 20), NUM_EPOCHS - 2)
        if not remount(place, "ro"):
            raise TooLate("a file is being written at this moment")
        command.signal(signal.SIGCONT)
        done = command.done()
        assert done.code, "it ends as if it could write"
        told(done)
        assert remount(place, "rw")
        mended(expected, TRAIN)


def limited(attempt: Attempt) -> None:
    """Limit the size of files to a random number of bytes."""
    expected = undisturbed(attempt, "three-epochs", THREE_EPOCHS, trained)
    sizes = [path.stat().st_size for path in (attempt.shared / "three-epochs" / "runs").rglob("*")]
    most = int(10 ** attempt.chance.uniform(1, math.log10(max(sizes))))

    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    reading, writing = os.pipe()  # a file of messages would be cut as well
    done = Command(*THREE_EPOCHS, prepare=prepare, streams={1: os.devnull, 2: writing}).done()
    os.close(writing)
    with os.fdopen(reading) as messages:
        done = replace(done, err=messages.read())
    assert done.code, "it writes more than it may"
    told(done)
    mended(expected, THREE_EPOCHS)


def gone(attempt: Attempt) -> None:
    """Delete or move the run folder, or all runs, at a random epoch; the process ends soon and says why."""
    command = Command(*TRAIN)
    halt_training(command, moment(attempt, 20, 1), NUM_EPOCHS - 3)
    (folder,) = (path.parent for path in Path("runs").glob("*/*/manifest.json"))
    victim = attempt.chance.choice([folder, folder.parent, Path("runs")])
    if attempt.case % 2:
        os.rename(victim, "moved")
    else:
        while victim.exists():
            shutil.rmtree(victim, ignore_errors=True)
    command.signal(signal.SIGCONT)
    done = command.done()
    assert done.code, "it ends as if nothing had been"
    told(done)


ROWS = [
    Row(
        "disk-refuses",
        "A disk that refuses is one line and exit 1; after the cure the run goes on to the same bits",
        f"ENOSPC, EDQUOT, EROFS, EACCES, EIO from the n-th operation on, for every {APART}th n",
        refused,
        fast=3,
        full=150,
    ),
    Row(
        "disk-full",
        "A full disk is one line and exit 1; with room again the run goes on to the same bits",
        "a mounted disk with less room than the run takes",
        full,
        fast=1,
        full=30,
    ),
    Row(
        "disk-read-only",
        "A disk that becomes read-only in mid-run is one line and exit 1; writable again, the run goes on",
        "a mounted disk that is mounted read-only at a random epoch",
        read_only,
        fast=0,
        full=15,
    ),
    Row(
        "file-size-limit",
        "A limit on the size of files is one line and exit 1; without it the run goes on to the same bits",
        "RLIMIT_FSIZE of 10 bytes to the size of the largest file",
        limited,
        fast=1,
        full=30,
    ),
    Row(
        "folder-gone",
        "A run whose folder is deleted or moved ends within seconds, in one line",
        "the run's folder, its experiment's or all runs deleted or renamed at a random epoch",
        gone,
        fast=1,
        full=30,
    ),
]
