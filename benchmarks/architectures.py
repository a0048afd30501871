"""Every architecture on real CIFAR-10 or Fashion-MNIST, two epochs each from the command line: the training loss falls.

Run ``python -m benchmarks.architectures FOLDER [NAME]...``; FOLDER holds ``cifar10.npz`` (arrays x_train, y_train,
x_test, y_test) and torchvision's ``FashionMNIST``. Each command runs there in a process of its own, with one thread;
the larger nets get some of the training examples, as their row says. Writes ``benchmarks/results/architectures.json``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS, write

DLEXP = Path(sys.executable).parent / "dlexp"
CIFAR = "data=arrays data.path=cifar10.npz"
FASHION = "data=fashion_mnist data.root=. data.download=false"
SMALL = "data.limit=3000 data.val_count=1000"
SMALLER = "data.limit=1000 data.val_count=500"
TINY_PART = "data.limit=500 data.val_count=200 trainer.batch_size=16"
STEADY = "optimizer=momentum optimizer.lr=0.01"
COMMANDS = {
    "softmax": f"model=softmax {CIFAR} optimizer.lr=0.01",
    "mlp": f"model=mlp {FASHION}",
    "cnn": f"model=cnn {CIFAR}",
    "torchvision": f"model=torchvision model.name=resnet18 {CIFAR} {SMALL} {STEADY}",
    "vgg": f"model=vgg model.depth=11 {FASHION} {SMALL} {STEADY}",
    "vgg with norm": f"model=vgg model.depth=11 norm=batch {CIFAR} {SMALLER} optimizer.lr=0.01",
    "nin": f"model=nin {FASHION} {SMALL} {STEADY}",
    "resnet, CIFAR form": f"model=resnet model.depth=20 {CIFAR} {SMALL}",
    "resnet, ImageNet form": f"model=resnet model.depth=18 {CIFAR} {SMALLER}",
    "resnext": f"model=resnext model.depth=50 model.groups=8 {FASHION} {TINY_PART} {STEADY}",
    "densenet": f"model=densenet model.depth=40 model.growth_rate=12 {CIFAR} {SMALL}",
    "inception": f"model=inception {FASHION} {TINY_PART} {STEADY}",
    "inception with norm": f"model=inception model.stem=imagenet norm=batch {CIFAR} {SMALL} {STEADY}",
}


def train(name: str, folder: Path) -> dict[str, Any]:
    """Train one architecture for two epochs and return what its run folder says.

    Raises:
        RuntimeError: The command failed.
    """
    command = f"dlexp train {COMMANDS[name]} trainer.epochs=2 tracking=none"
    with tempfile.TemporaryDirectory() as runs:
        arguments = [*command.split()[1:], "trainer.threads=1", f"runs_dir={runs}", "--json"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run([DLEXP, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command}: exit {done.returncode}: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        lines = (Path(result["run_dir"]) / "metrics.jsonl").read_text().splitlines()
    first, second = (json.loads(line) for line in lines)
    return {
        "name": name,
        "command": command,
        "num_params": result["num_params"],
        "num_train": result["data"]["num_train"],
        "is_limited": "data.limit" in command,
        "train_loss": [round(epoch["train/loss"], 4) for epoch in (first, second)],
        "val_accuracy": [round(epoch["val/accuracy"], 4) for epoch in (first, second)],
        "seconds": round(result["seconds"], 1),
        "falls": second["train/loss"] < first["train/loss"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Train every architecture for two epochs.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(COMMANDS)}; none: all")
    args = parser.parse_args()
    record = RESULTS / "architectures.json"
    rows = {row["name"]: row for row in json.loads(record.read_text())["rows"]} if record.exists() else {}
    for name in args.names or COMMANDS:
        rows[name] = train(name, args.folder)
        print(rows[name], flush=True)
        ordered = [rows[known] for known in COMMANDS if known in rows]
        write("architectures", ordered, "Mean training loss of epochs 1 and 2; seconds of training, on one thread.")
    return 0 if all(row["falls"] for row in rows.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
