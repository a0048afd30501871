"""Input from strangers: run folders, targets, names. Nothing of it runs code, reads or writes outside."""

import hashlib
import io
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.fault.process import Done, dlexp
from tests.fault.promise import Attempt, Row
from tests.fault.row.damaged import two_runs

TARGETS = (
    *(
        "subprocess.Popen",
        "subprocess.check_call",
        "os.system",
        "os.popen",
        "os.execv",
        "builtins.exec",
        "builtins.eval",
    ),
    *("pickle.loads", "runpy.run_path", "importlib.import_module", "code.InteractiveInterpreter", "shutil.rmtree"),
    *("torch.load", "torch.serialization.load", "torch.hub.load", "torch.package.PackageImporter", "numpy.load"),
    *("numpy.memmap", "yaml.unsafe_load", "mlflow.pyfunc.load_model", "joblib.load", "matplotlib.figure.Figure"),
    *("dlexp.disk.durable.write_bytes", "dlexp.run.folder.RunFolder", "dlexp.tracking.outbox.main", "dlexp.cli.main"),
    *(
        "evil.Net",
        "evil",
        "evil.",
        ".evil",
        "..",
        "evil.Net.__init__",
        "dlexp.model.mlp.torch.load",
        "os.path.os.system",
    ),
)
GROUPS = ("model", "optimizer", "data", "augment", "seeds", "tracking", "loss", "metric")
COMMANDS = (
    ["eval", "last", "--json"],
    ["predict", "last", "x.npy"],
    ["train", "--resume", "last"],
    ["train", "--verify-trial", "last"],
    ["show", "last"],
)
EVIL = "from pathlib import Path\nPath('pwned').touch()\nclass Net:\n    pass\n"
LONGEST = 60.0  # seconds, on a machine with other work, for what takes one


class Attack:
    """What a pickle runs."""

    def __reduce__(self) -> Any:
        return subprocess.check_call, (["touch", "pwned"],)


def copied(attempt: Attempt) -> Path:
    """Return a run folder, copied from two runs with an input."""
    source = two_runs(attempt)
    os.chdir(attempt.place)
    shutil.copy(source / "x.npy", "x.npy")
    shutil.copytree(source / "runs", "runs")
    return max(Path("runs").glob("*/*/manifest.json")).parent


def sealed(folder: Path, name: str, text: str, **manifest: Any) -> None:
    """Write a file of a run with a hash that fits, as an attacker would."""
    (folder / name).write_text(text)
    document = json.loads((folder / "manifest.json").read_text())
    document[f"{name.partition('.')[0]}_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(document | manifest))


def refused(done: Done, *codes: int) -> None:
    """Require an end in words, within a time, without a mark of code that ran."""
    text = done.out + done.err
    assert "Traceback" not in text, text[-500:]
    assert "internal error" not in text, text[-300:]
    assert done.code in codes, f"exit {done.code}: {text[-300:]}"
    assert not Path("pwned").exists(), "code ran"
    assert done.seconds < LONGEST, f"{done.seconds:.0f} s"


def target(attempt: Attempt) -> int:
    """Name a target in a run folder and on the command line."""
    name, folder = TARGETS[attempt.case], copied(attempt)
    Path("evil.py").write_text(EVIL)
    group = attempt.chance.choice(GROUPS)
    node = {"_target_": name, "args": ["touch", "pwned"]}
    config = yaml.safe_load((folder / "config.yaml").read_text())
    trusted = attempt.chance.choice([[], [name.partition(".")[0] or "evil"]])
    sealed(folder, "config.yaml", yaml.safe_dump(config | {group: node, "trusted": trusted}), status="interrupted")
    for words in COMMANDS:
        refused(dlexp(*words, "--runs-dir", "runs"), *((0, 1, 2) if words[0] == "show" else (1, 2)))
    Path("own", "model").mkdir(parents=True)
    Path("own", "model", "evil.yaml").write_text(yaml.safe_dump(node))
    refused(dlexp("train", "--config-dir", "own", "model=evil", "tracking=none"), 1, 2)
    return len(COMMANDS) + 1


def pickled(attempt: Attempt) -> int:
    """Put a pickle that runs a command in the place of a file of numbers, with hashes that fit."""
    import pickle

    import numpy as np
    import torch

    folder = copied(attempt)
    buffer = io.BytesIO()
    way = attempt.case % 3
    if way == 0:
        torch.save({"epoch": Attack()}, buffer)
    elif way == 1:
        pickle.dump(Attack(), buffer)
    else:
        np.savez(buffer, id=np.array([Attack()], dtype=object), target=np.zeros(1), output=np.zeros(1))
    for name in ("last", "best"):
        place = folder / "checkpoints" / name
        manifest = json.loads((place / "manifest.json").read_text())
        for file in ("state.pt", "weights.safetensors"):
            (place / file).unlink()
            (place / file).write_bytes(buffer.getvalue())
            digest = hashlib.sha256(buffer.getvalue()).hexdigest()
            manifest["files"][file] = {"size": len(buffer.getvalue()), "sha256": digest}
        (place / "manifest.json").write_text(json.dumps(manifest))
    for path in (folder / "predictions" / "val.npz", folder / "split.npz", Path("x.npy")):
        path.write_bytes(buffer.getvalue())
    sealed(folder, "overrides.txt", (folder / "overrides.txt").read_text(), status="interrupted")
    for words in COMMANDS:
        refused(dlexp(*words, "--runs-dir", "runs"), *((0, 1, 2) if words[0] == "show" else (1, 2)))
    return len(COMMANDS)


PIECES = (
    "..",
    "/",
    "\\",
    "%2e%2e",
    "%2f",
    "%",
    "a",
    "模型",
    "цель",
    "é",
    "\u202e",
    "\x1b[31m",
    " ",
    ".",
    "con",
    "~",
    "'",
    '"',
)


def names(attempt: Attempt) -> int:
    """Call experiments by names of random pieces: each run is listed, and nothing lies outside the runs."""
    count = 5
    for _ in range(count):
        name = "".join(attempt.chance.choice(PIECES) for _ in range(attempt.chance.randint(1, 8)))
        name = attempt.chance.choice([name, name * 60, name + "x" * 290])
        words = ["data=wine", "trainer.epochs=1", "model.widths=[4]", "tracking=none", "data.limit=30"]
        refused(dlexp("train", *words, f"tracking.experiment='{name}'"), 0, 2)
    listed = json.loads(dlexp("runs", "--json").out or "[]") if Path("runs").exists() else []
    made = list(Path("runs").glob("*/*/manifest.json"))
    assert len(made) == len(listed), f"{len(made)} runs, {len(listed)} listed"
    assert {path.name for path in Path().iterdir() if not path.name.startswith(".stream")} <= {"runs"}
    assert not list(attempt.place.parent.glob("manifest.json"))
    return count


def links(attempt: Attempt) -> int:
    """Have links lead out of a run folder: what is removed or written lies inside."""
    folder = copied(attempt)
    outside = Path("outside")
    outside.mkdir()
    (outside / "precious").write_text("precious")
    files = [*(path for path in folder.rglob("*") if path.is_file()), folder / "checkpoints", folder / "figures"]
    chosen = attempt.chance.sample(sorted(files), 3)
    for victim in chosen:
        if victim.is_dir():
            shutil.rmtree(victim)
            victim.symlink_to(outside.absolute())
        elif victim.parent.is_dir():
            victim.unlink(missing_ok=True)
            victim.symlink_to((outside / "precious").absolute())
    for words in (*COMMANDS, ["note", "last", "a word"], ["rm", "last", "--yes"]):
        done = dlexp(*words, "--runs-dir", "runs")
        text = done.out + done.err
        assert "Traceback" not in text, f"{words}, {chosen}: {text[-400:]}"
        assert "internal error" not in text, f"{words}, {chosen}: {text[-300:]}"
        assert (outside / "precious").read_text() == "precious", f"{words}, {chosen}"
    assert sorted(path.name for path in outside.iterdir()) == ["precious"], chosen
    return len(COMMANDS) + 2


def secrets(attempt: Attempt) -> None:
    """Use a secret of the environment; it is on no screen, in no file and not in MLflow's database."""
    secret = f"hunter{attempt.chance.randrange(10**12)}"
    os.environ["MY_TOKEN"] = secret
    uri = ["sqlite:///${oc.env:MY_TOKEN}.db", "http://me:${oc.env:MY_TOKEN}@127.0.0.1:9"][attempt.case % 2]
    words = ["data=wine", "trainer.epochs=1", "model.widths=[4]", f"tracking.uri='{uri}'"]
    texts = [dlexp(*given, *words) for given in (["train"], ["train", "--json"], ["config"], ["sweep", "seed=0,1"])]
    texts += [dlexp("show", "last"), dlexp("sync", "last"), dlexp("train", f"tracking.uri=http://me:{secret}@h")]
    for done in texts:
        assert "Traceback" not in done.err, done.err[-400:]
        assert secret not in done.out + done.err, done.out + done.err
    for path in Path().rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


ROWS = [
    Row(
        "target-refused",
        "A target that a run folder or a YAML file names runs no code, whatever it lists under `trusted`",
        f"{len(TARGETS)} targets as one of {len(GROUPS)} parts, with hashes that fit, through eval, predict, resume, "
        "verify, show and `--config-dir`",
        target,
        fast=1,
        full=len(TARGETS),
        each=len(COMMANDS) + 1,
    ),
    Row(
        "pickle-refused",
        "A pickle in a run folder is refused in one line and never loaded",
        "pickles that run a command as weights, state, predictions and examples, with hashes that fit",
        pickled,
        fast=1,
        full=9,
        each=len(COMMANDS),
    ),
    Row(
        "names",
        "A name of any letters makes a run that is listed, below the runs' folder and nowhere else",
        "experiments called by random pieces: scripts, dots, separators, percent forms, controls, 300 letters",
        names,
        fast=0,
        full=40,
        each=5,
    ),
    Row(
        "links",
        "A link in a run folder leads no command to write or remove outside",
        "three files or folders of a run replaced by links to outside, then eval, predict, resume, note, rm",
        links,
        fast=1,
        full=40,
        each=len(COMMANDS) + 2,
    ),
    Row(
        "secrets",
        "A secret of the environment is on no screen, in no file and not in MLflow's database",
        "`${oc.env:MY_TOKEN}` in an address, through train, sweep, config, show, sync",
        secrets,
        fast=0,
        full=6,
    ),
]
