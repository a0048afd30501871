"""What it costs to keep of each epoch what its monitored metric needs of every example; `python -m benchmarks.record`.

Microseconds a trial and epoch to make a record and to write it, and its bytes.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import command_line, write
from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine import by_example
from dlexp.engine.evaluate import predict
from dlexp.run import epoch_record

REPEATS = 200
CASES = {
    "bits": ["data=digits"],
    "losses": ["data=digits", "trainer.monitor=val/loss"],
    "values": ["data=diabetes"],
}
NOTE = "median microseconds a trial and epoch: evaluating the part, making the record of each example, writing it"


def median(call: Callable[[], Any]) -> float:
    """Return the median microseconds of a call."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return 1e6 * statistics.median(times)


def measure(kind: str, num_trials: int, num_examples: int) -> dict[str, Any]:
    """Return one line of the record."""
    config = resolve([*CASES[kind], "tracking=none", "trainer.threads=1", "model.widths=[16]"]).config
    data = load_data(config)
    run = make_program(
        components_of([config] * num_trials, [data] * num_trials), "batched" if num_trials > 1 else "solo"
    ).run
    part = data.val.repeat(-(-num_examples // len(data.val)))[:num_examples]
    task = replace(run.task, val=[part] * num_trials)
    loss = run.step.rules.loss

    def evaluate() -> torch.Tensor:
        return predict(run.step.forward, task, task.val, 1024)

    outputs = evaluate()
    made = by_example.records(run.monitor, outputs, task, loss)
    assert made[0] is not None
    content = made[0][1]
    with tempfile.TemporaryDirectory() as folder:
        writing = median(lambda: epoch_record.append(Path(folder), 1, kind, content))
    return {
        "kind": kind,
        "trials": num_trials,
        "examples": num_examples,
        "evaluating_us": round(median(evaluate) / num_trials, 1),
        "making_us": round(median(lambda: by_example.records(run.monitor, outputs, task, loss)) / num_trials, 1),
        "writing_us": round(writing, 1),
        "bytes": len(content) + 4,
    }


def main() -> None:
    """Measure every kind and write the record."""
    torch.set_num_threads(1)
    rows = []
    for kind in CASES:
        for num_trials in (1, 16):
            for num_examples in (350, 5000):
                rows.append(row := measure(kind, num_trials, num_examples))
                print(*(f"{key}={value}" for key, value in row.items()), flush=True)
    print(write("record", rows, NOTE))


if __name__ == "__main__":
    command_line(__doc__).parse_args()
    main()
