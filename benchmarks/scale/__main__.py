"""Play searches on 1,000 GPUs, time what a task costs, and list 100,000 runs.

Run with ``python -m benchmarks.scale [GPUS [TRIALS]]``; writes ``benchmarks/results/scale.json``.
"""

from typing import Any

from benchmarks import measure
from benchmarks.scale.listing import measure_sizes
from benchmarks.scale.overhead import measure_launchers
from benchmarks.scale.play import EPOCHS, play

HYPERBAND = ["search=hyperband", f"trainer.epochs={EPOCHS}"]
TPE = ["search=tpe", "trainer.epochs=9"]


NOTE = (
    "Searches on GPUs that are played. played_s: from the first training to the end of the last, on the GPUs' clock; "
    "idle_percent: of all GPUs' seconds until then; idle_90_percent: until nine of ten trainings had ended; "
    "driver_ms_per_training: CPU of the command, without what workers write; shortest_training_s: the mean length of "
    "trainings below which one driver cannot keep all GPUs busy. Tasks that do nothing: first_s with the start of the "
    "worker, ms each of the others on the wall. Listings are whole commands on copies of a run; first_cpu_s without an "
    "index, cpu_s with it. Measured beside other work: seconds of the wall are too long."
)


def main(num_gpus: int, num_trials: int) -> None:
    """Play each search and write the record."""
    tenth = max(2, num_gpus // 10)
    searches = {
        "hyperband by rounds": (num_gpus, num_trials, HYPERBAND),
        "hyperband, asynchronous": (num_gpus, num_trials, [*HYPERBAND, "search.asynchronous=true"]),
        "tpe by rounds": (tenth, num_trials // 10, [*TPE, f"search.batch={tenth}"]),
        "tpe, asynchronous": (tenth, num_trials // 10, [*TPE, "search.asynchronous=true"]),
    }
    rows: list[dict[str, Any]] = []
    for name, arguments in searches.items():
        rows.append({"what": name, **play(*arguments)})
        print(rows[-1], flush=True)
    for row in (*measure_launchers(), *measure_sizes()):
        rows.append(row)
        print(row, flush=True)
    print(measure.write("scale", rows, NOTE))


if __name__ == "__main__":
    parser = measure.command_line(__doc__)
    parser.add_argument("gpus", type=int, nargs="?", default=1000)
    parser.add_argument("trials", type=int, nargs="?", default=3000, help="of hyperband; tpe has a tenth")
    arguments = parser.parse_args()
    main(arguments.gpus, arguments.trials)
