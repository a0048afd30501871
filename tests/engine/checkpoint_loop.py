"""Run by test_checkpoint.py: kills a process that saves checkpoints, again and again, and checks what is left."""

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from dlexp.engine import checkpoint


def save_forever(directory: Path, epoch: int, started: int) -> None:
    while True:
        epoch += 1
        weights = {"weight": torch.full((100, 50), float(epoch)), "bias": torch.full((7,), float(epoch))}
        state, best = {"epoch": epoch, "moment": torch.full((1, 5007), -float(epoch))}, directory.with_name("best")
        checkpoint.save(best, weights, state)
        checkpoint.save(directory, weights, state, same_weights=best, is_synced=epoch % 2 == 0)
        os.write(started, b".")


def check(directory: Path, least: int) -> int:
    weights, state = checkpoint.load(directory)
    epoch = state["epoch"]
    assert epoch >= least, f"epoch {epoch} after {least} was read"
    assert all(bool((tensor == epoch).all()) for tensor in weights.values())
    assert bool((state["moment"] == -epoch).all())
    return epoch


def main(directory: Path, seed: int, kills: int) -> None:
    torch.set_num_threads(1)
    draw = random.Random(seed)
    epoch = 0
    for _ in range(kills):
        saved, started = os.pipe()
        child = os.fork()
        if child == 0:
            save_forever(directory, epoch, started)
        os.read(saved, 1)  # the first save after a fork is slow
        time.sleep(draw.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(saved)
        os.close(started)
        epoch = check(directory, epoch)
        if checkpoint.exists(directory.with_name("best")):
            check(directory.with_name("best"), 1)
    print(epoch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
