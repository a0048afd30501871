"""What the host does beside a card: waits for it during updates, and memory that the first process takes there."""

import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from benchmarks.equality import configure, divide
from benchmarks.gpu.command import SWEEP
from benchmarks.gpu.equal import cases
from dlexp.build.components import components_of
from dlexp.build.program import Program, make_program
from dlexp.engine.stack.kind import stack_kinds

PARENT = """
import json, sys, torch
from benchmarks.launcher import Deaf
from dlexp.job.sweep import sweep
if __name__ == "__main__":
    search = sweep.start(sys.argv[1:], None, announce=lambda _about: Deaf(), has_figures=False)
    ends = [trial["status"] for trial in search.outcome.result["trials"]]
    print(json.dumps({"is_on_the_card": torch.cuda.is_initialized(), "finished": ends.count("finished")}))
"""


def waits(name: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each form: waits of the host in the five updates of the third epoch, by line; none is right."""
    case = cases()[name]
    configs = configure(case, "fp32")
    for config in configs:
        config["trainer"]["device"] = "cuda"
    components = components_of(configs, divide(case, configs))
    first = make_program(components[:1])
    for kind in ("solo", *stack_kinds(first.model, first.dataset.in_shape, first.device)[0]):
        counted = count_waits(make_program(components[:1] if kind == "solo" else components, kind))
        yield {"engine": kind, "waits": sum(counted.values()), **({"failures": dict(counted)} if counted else {})}


def count_waits(program: Program) -> Counter[str]:
    """Return the waits of an epoch's updates by file and line, after two epochs in which graphs are captured."""
    run = program.run
    no_progress = mock.patch("dlexp.engine.train.PROGRESS_SECONDS", float("inf"))  # to tell of it waits for the loss
    with warnings.catch_warnings(record=True) as caught, no_progress:
        warnings.simplefilter("always")
        for run.epoch in (0, 1, 2):
            run.position = 0
            torch.cuda.set_sync_debug_mode("warn" if run.epoch == 2 else "default")
            try:
                for _ in run.updates():
                    pass
            finally:
                torch.cuda.set_sync_debug_mode("default")
    told = [each for each in caught if "synchronizing CUDA operation" in str(each.message)]
    return Counter(f"{Path(each.filename).name}:{each.lineno}" for each in told)


def parent(_name: str) -> Iterator[dict[str, Any]]:
    """Yield whether the process of a sweep's command has been on the card, where its workers are; it is to keep off."""
    with tempfile.TemporaryDirectory() as runs_dir:
        script = Path(runs_dir) / "sweep.py"
        script.write_text(PARENT)
        command = [sys.executable, str(script), *SWEEP, f"runs_dir={runs_dir}"]
        folders = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    row = json.loads(done.stdout.splitlines()[-1])
    yield {**row, **({"failures": ["the first process is on the card"]} if row["is_on_the_card"] else {})}
