"""Whole commands and data on a card: the tests that need one, workers that share it, and how fast data arrive."""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.launcher import Deaf
from dlexp.build.dataset import load_data
from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.data.feed import Resident, Streaming
from dlexp.job.sweep import sweep
from dlexp.job.train.profile import write_profile

IMAGES = ["data=fake", "data.shape=[3,32,32]", "data.num_train=20000", "data.num_val=100"]
SWEEP = [
    *("data=fake", "data.shape=[3,32,32]", "data.num_train=4000", "data.num_val=500", "model=cnn", "tracking=none"),
    *("trainer.device=cuda", "trainer.epochs=2", "optimizer.lr=0.005,0.01,0.02,0.03,0.05,0.08,0.1,0.2"),
]
WORKERS = {
    "one by one": ["trainer.fuse=off", "launcher.workers=1"],
    "two workers, one by one": ["trainer.fuse=off", "launcher.workers=2"],
    "auto": ["launcher.workers=1"],
}
PROFILED = {
    "mlp": [],
    "cnn": ["model=cnn"],
    "resnet-20 32x32, augmented": [
        *("data=fake", "data.shape=[3,32,32]", "data.num_train=2000", "data.num_val=100"),
        *("model=resnet", "model.depth=20", "trainer.batch_size=128", "augment=flip_crop"),
    ],
}
ROUNDS = 3


def tests(_name: str) -> Iterator[dict[str, Any]]:
    """Yield how the tests under the mark `gpu` end."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-n", "4", "-p", "no:benchmark", "tests"]
    done = subprocess.run(command, capture_output=True, text=True)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout)}
    failures = re.findall(r"^FAILED (\S+)", done.stdout, re.M)
    yield {**counts, "failures": failures, **({} if counts else {"failed": done.stdout[-300:] + done.stderr[-300:]})}


def profile(name: str) -> Iterator[dict[str, Any]]:
    """Yield where the time of an update goes when a run is trained alone."""
    built = assemble(resolve([*PROFILED[name], "trainer.device=cuda", "tracking=none"]).config)
    with tempfile.TemporaryDirectory() as folder:
        profiled = write_profile(built, Path(folder))
    shares = {f"{cause}_percent": round(100 * share) for cause, share in profiled.shares.items()}
    dearest = [f"{each.name[:60]} {1e6 * each.seconds:.0f} us" for each in profiled.operators[:3]]
    yield {"us": round(1e6 * profiled.seconds, 1), **shares, "dearest": dearest}


def workers(name: str) -> Iterator[dict[str, Any]]:
    """Yield the wall seconds of a sweep of eight small convolutional nets."""
    with tempfile.TemporaryDirectory() as runs_dir:
        began = time.perf_counter()
        arguments = [*SWEEP, *WORKERS[name], f"runs_dir={runs_dir}"]
        search = sweep.start(arguments, None, announce=lambda _about: Deaf(), has_figures=False)
        seconds = time.perf_counter() - began
    values = [round(trial["metrics"]["val/accuracy"], 6) for trial in search.outcome.result["trials"]]
    yield {"seconds": round(seconds, 1), "val_accuracy": values}


def data(name: str) -> Iterator[dict[str, Any]]:
    """Yield the pictures of 32x32x3 bytes a second that arrive in batches of 256, drawn at random."""
    dataset = load_data(resolve(IMAGES).config)
    kind = {"on the card": Resident, "from memory": Streaming}[name]
    feed = kind(dataset, torch.device("cuda"))
    rates = []
    for _ in range(ROUNDS + 1):
        rows = dataset.train[torch.randperm(len(dataset.train))].split(256)
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _x, _y in feed.batches(rows):
            pass
        torch.cuda.synchronize()
        rates.append(len(dataset.train) / (time.perf_counter() - began))
    yield {"pictures_per_second": round(statistics.median(rates[1:]))}
