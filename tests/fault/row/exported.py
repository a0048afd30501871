"""Exported files that are cut, changed or foreign, given to predict: one line and exit 2, and nothing in them runs."""

import importlib.util
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.fault.process import Done, dlexp, one_line
from tests.fault.promise import Attempt, NotPossible, Row
from tests.fault.row.damaged import two_runs
from tests.fault.row.foreign import Attack

FORMS = ("pt2", "onnx", "safetensors")
EACH = 4  # damages of an attempt


def cut(path: Path, chance: Random) -> None:
    """Leave out the file's end."""
    whole = path.read_bytes()
    path.write_bytes(whole[: chance.randrange(len(whole))])


def flip(path: Path, chance: Random) -> None:
    """Turn one bit over."""
    whole = bytearray(path.read_bytes())
    whole[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
    path.write_bytes(whole)


def scramble(path: Path, chance: Random) -> None:
    """Write random bytes over a stretch of the file, or over its beginning."""
    whole = bytearray(path.read_bytes())
    start = chance.choice([0, chance.randrange(len(whole))])
    stretch = chance.randbytes(chance.randint(1, 200))
    path.write_bytes(bytes(whole[:start]) + stretch + bytes(whole[start + len(stretch) :]))


def repeat(path: Path, chance: Random) -> None:
    """Put the file, or a piece of it, behind itself."""
    whole = path.read_bytes()
    path.write_bytes(whole + whole[chance.randrange(len(whole)) :])


def unlike(path: Path, chance: Random) -> None:
    """Put something else in the file's place."""
    content = chance.choice([b"", b"no model", b"\0" * 4096, b"\x80\x04.", b"{}", chance.randbytes(2000)])
    path.write_bytes(content)


def pickled(path: Path, chance: Random) -> None:
    """Put a pickle that runs a command in the file's place, bare or in every member of its archive."""
    attack = pickle.dumps(Attack())
    if zipfile.is_zipfile(path) and chance.random() < 0.7:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, attack)
        return
    path.write_bytes(attack)


def misplaced(path: Path, chance: Random) -> None:
    """Put a folder, or a link that leads nowhere, in the file's place."""
    path.unlink()
    if chance.random() < 0.5:
        path.mkdir()
    else:
        path.symlink_to("nowhere")


WAYS: tuple[Callable[[Path, Random], None], ...] = (cut, flip, scramble, repeat, unlike, pickled, misplaced)
CASES = [(form, way) for form in FORMS for way in WAYS]


def exported(attempt: Attempt, form: str) -> Path:
    """Return the exported file of a run, and leave its input here; exported once for all attempts."""
    if form == "onnx" and importlib.util.find_spec("onnxruntime") is None:
        raise NotPossible("onnx, onnxruntime and onnxscript are not installed")
    source = two_runs(attempt)
    path = source / f"model.{form}"
    os.chdir(source)
    if not path.exists():
        done = dlexp("export", "last", "--out", path.name)
        assert done.code == 0, done.err[-400:]
    os.chdir(attempt.place)
    shutil.copy(source / "x.npy", "x.npy")
    return path


def damaged(attempt: Attempt) -> int:
    """Damage an exported file and give it to predict."""
    form, way = CASES[attempt.case]
    source = exported(attempt, form)
    for _ in range(EACH):
        path = attempt.place / source.name
        _away(path)
        shutil.copy(source, path)
        way(path, attempt.chance)
        held(dlexp("predict", path.name, "x.npy", "--json"), form, path, source)
        if form == "pt2" and way is not pickled and path.is_file():  # what a user trusts may be damaged, too
            held(dlexp("predict", "--trust", path.name, path.name, "x.npy", "--json"), "trusted", path, source)
    return EACH


def held(done: Done, form: str, path: Path, source: Path) -> None:
    """Require one line and exit 2; of a form without code also an answer, as weights may be anybody's."""
    assert not Path("pwned").exists(), "code ran"
    assert "Traceback" not in done.err, done.err[-500:]
    is_same = path.is_file() and path.read_bytes() == source.read_bytes()
    if done.code == 0 and (form != "pt2" or is_same):
        assert json.loads(done.out)["predictions"], done.out
        return
    one_line(done, 2)


def _away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


ROWS = [
    Row(
        "exported-damaged",
        "An exported file that was changed is refused in one line with exit 2, and nothing in it runs; of `.onnx` and "
        "`.safetensors`, which hold no code, one that is still whole answers",
        f"{len(FORMS)} forms x {len(WAYS)} ways, {EACH} times each: cut, a bit turned, bytes written over, doubled, "
        "something else, pickles that run a command, folders and dangling links",
        damaged,
        fast=1,
        full=len(CASES),
        each=EACH,
    ),
]
