"""How long a user waits for help, a config error and a completion, beside an empty Python process.

Run with ``python -m benchmarks.startup``; writes ``benchmarks/results/startup.json``.
"""

import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks import measure

DLEXP = str(Path(sys.executable).parent / "dlexp")
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "dlexp --help": [DLEXP, "--help"],
    "dlexp config (an error)": [DLEXP, "config", "model=resnet", "model.dpeth=18"],
    "dlexp config": [DLEXP, "config", "model=resnet"],
    "dlexp options": [DLEXP, "options"],
    "completion of a key": [DLEXP, "complete", "--", "dlexp train model=resnet model.de"],
}


def main(repeats: int = 15) -> None:
    """Time each command, in turn, and write the record."""
    calls = {name: partial(subprocess.run, command, capture_output=True) for name, command in COMMANDS.items()}
    seconds = measure.interleave(calls, repeats)
    rows = [
        {"command": name, "median_s": round(statistics.median(times), 3), "min_s": round(min(times), 3)}
        for name, times in seconds.items()
    ]
    for row in rows:
        print(f"{row['command']:26} {row['median_s']:.3f} s")
    print(
        measure.write(
            "startup",
            rows,
            "Wall seconds of whole processes, files cached; the empty process shows how busy the machine was.",
        )
    )


if __name__ == "__main__":
    measure.command_line(__doc__).parse_args()
    main()
