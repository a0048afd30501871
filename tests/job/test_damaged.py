"""A run folder with one file damaged: `compare`, `eval` and `predict` do without it, or name file, fault and cure."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from dlexp.config.resolve import resolve
from dlexp.error import DlexpError
from dlexp.job.compare.comparison import compare
from dlexp.job.inference.evaluate import evaluate
from dlexp.job.inference.predict import predict
from dlexp.job.train import train

QUICK = ["data=wine", "tracking=none", "trainer.threads=1", "trainer.epochs=2", "model.widths=[4]"]
FILES = (
    "config.yaml",
    "manifest.json",
    "overrides.txt",
    "result.json",
    "metrics.jsonl",
    "epochs.bits",
    "log.txt",
    "model.json",
    "split.npz",
    "predictions/val.npz",
    "checkpoints/best/manifest.json",
    "checkpoints/best/state.pt",
    "checkpoints/best/weights.safetensors",
    "checkpoints/last/manifest.json",
)
CONTENTS = {
    "empty": lambda _: b"",
    "list": lambda _: b"[]",
    "dict": lambda _: b"{}",
    "null": lambda _: b"null",
    "number": lambda _: b"7",
    "text": lambda _: b"hello",
    "nul": lambda _: bytes(64),
    "garbage": lambda _: np.random.default_rng(0).bytes(300),
    "half": lambda whole: whole[: len(whole) // 2],
    "cut": lambda whole: whole[:-1],
    "flipped": lambda whole: bytes(byte ^ (0x55 * (i == len(whole) // 2)) for i, byte in enumerate(whole)),
}
DAMAGE = (*CONTENTS, "deleted", "folder", "dangling link")


def damage(path: Path, kind: str) -> None:
    whole = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to(path.parent / "nowhere")
    elif kind != "deleted":
        path.write_bytes(CONTENTS[kind](whole))


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Two runs, the one that is damaged and another to compare it with."""
    place = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        composed = resolve([*QUICK, f"seed={seed}", f"runs_dir={place / str(seed)}"])
        result = train.start(composed, announce=lambda _: lambda _: None).result
        shutil.copytree(result["run_dir"], place / f"run{seed}")
    return place


@pytest.fixture(scope="module")
def commands(runs, tmp_path_factory):
    inputs = tmp_path_factory.mktemp("inputs") / "x.npy"
    np.save(inputs, np.zeros((2, 13), dtype=np.float32))

    def run(command: str, folder: Path) -> object:
        if command == "compare":
            document = compare([str(folder), str(runs / "run1")], folder.parent)
            return document["pairs"], [run["value"] for run in document["runs"]]  # a label is what overrides.txt says
        if command == "eval":
            return evaluate(str(folder), folder.parent, "val")["metrics"]
        return predict(str(folder), folder.parent, [inputs])["predictions"]

    return run


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("command", ["compare", "eval", "predict"])
def test_one_line_or_the_same_answer(runs, commands, tmp_path, command, file):
    whole = shutil.copytree(runs / "run0", tmp_path / "whole" / "run0")
    expected = commands(command, whole)
    faults = []
    for kind in DAMAGE:
        folder = shutil.copytree(runs / "run0", tmp_path / kind.replace(" ", "-") / "run0")
        damage(folder / file, kind)
        try:
            answer = commands(command, folder)
        except DlexpError as error:
            message = str(error)
            if "\n" in message or error.exit_code not in (1, 2) or "run0" not in message or ";" not in message:
                faults.append(f"{kind}: {message!r}")
        except BaseException as error:
            faults.append(f"{kind}: {type(error).__name__}: {error}")
        else:
            if strip(answer, folder) != strip(expected, whole):
                faults.append(f"{kind}: another answer")
    assert faults == []


def strip(answer: object, folder: Path) -> str:
    return str(answer).replace(str(folder), "RUN")
