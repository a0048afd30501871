"""What the defaults reach on every bundled data set and architecture, beside the best of other settings.

``python -m benchmarks.defaults [NAME...]`` trains every case with nothing set but data and model, with three seeds,
and 30 settings drawn by `search=random` from `SPACE`, and writes ``benchmarks/results/defaults.json``. `NAME` chooses
cases, whose rows replace those of the file. Deep nets see few pictures for few epochs, under two seeds and 6 settings.
The error is 1 - accuracy, or the error of the mean of squares over the target's variance; its ratio is
(default + e) / (best + e), where e is half an example: 1 is as good as the search, and the best of many values
measured on the same part flatters the search.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import measure

DLEXP = str(Path(sys.executable).parent / "dlexp")
SMALL = ("iris", "wine", "breast_cancer", "diabetes", "spirals", "digits")
DENSE = ("mlp", "softmax")
# Convolutions on few pictures, for a few epochs: the question is whether they start, not how far they come.
IMAGES = ("cnn", "vgg", "nin", "inception", "resnet", "resnext", "densenet")
DEEP = ("vgg", "inception", "resnet", "resnext", "densenet")
FEW = ["data.limit=400", "trainer.epochs=8", "trainer.eval_batch_size=128"]
FEWER = ["data.limit=200", "trainer.epochs=6", "trainer.eval_batch_size=128"]
CASES = {f"{data} {model}": [f"data={data}", f"model={model}"] for data in SMALL for model in DENSE} | {
    f"digits {model}": [
        "data=digits",
        f"model={model}",
        *([] if model == "cnn" else FEWER if model in DEEP else FEW),
    ]
    for model in IMAGES
}
SPACE = [
    "search=random",
    "optimizer=sgd,momentum,adam,adamw",
    "optimizer.lr=tag(log,interval(1e-3,0.3))",
    "schedule=constant,cosine",
]


def sweep(*overrides: str) -> dict[str, Any]:
    """Return the document of a sweep of the command line, trained in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as runs_dir:
        command = [DLEXP, "sweep", "tracking=none", f"runs_dir={runs_dir}", "--json", *overrides]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def errors(document: dict[str, Any]) -> list[float]:
    """Return the error of each trial that ended, in [0, 1] where a constant guess has at most 1."""
    is_accuracy = document["mode"] == "max"
    metrics = [trial["metrics"] for trial in document["trials"] if trial["status"] == "finished"]
    return [1 - row["val/accuracy"] if is_accuracy else row["val/loss"] for row in metrics]


def row(name: str) -> dict[str, Any]:
    """Return a case's errors: of the defaults (mean over seeds, and the worst), of the best of the search."""
    seeds, trials = ("seed=0,1", 6) if name.split()[1] in DEEP else ("seed=0,1,2", 30)
    defaults = errors(sweep(*CASES[name], seeds))
    search = errors(sweep(*CASES[name], *SPACE, f"search.trials={trials}"))
    half = 0.5 / num_val(name)
    return {
        "case": name,
        "default": round(statistics.mean(defaults), 4),
        "worst_seed": round(max(defaults), 4),
        "best": round(min(search), 4),
        "ratio": round((statistics.mean(defaults) + half) / (min(search) + half), 2),
        "finished": f"{len(search)} of {trials}",
    }


def num_val(name: str) -> int:
    """Return how many validation examples a case has."""
    command = [DLEXP, "data", "--json", *(text for text in CASES[name] if text.startswith("data"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["parts"]["val"]["num"]


def main(names: list[str]) -> None:
    """Measure the cases that are named, or all, and write the record."""
    path = measure.RESULTS / "defaults.json"
    rows = {old["case"]: old for old in json.loads(path.read_text())["rows"]} if path.exists() else {}
    for name in names or CASES:
        rows[name] = row(name)
        print(rows[name], flush=True)
        note = "error of the defaults (mean over seeds), of the best of the settings tried, and their ratio"
        measure.write("defaults", [rows[case] for case in CASES if case in rows], note)


if __name__ == "__main__":
    parser = measure.command_line(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a case; none stands for all")
    names = parser.parse_args().names
    if unknown := sorted(set(names) - set(CASES)):
        parser.error(f"NAME: got {', '.join(unknown)}; choose of {', '.join(CASES)}")
    main(names)
