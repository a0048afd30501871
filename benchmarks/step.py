"""The solo training step against a hand-written loop with torch.optim over in-memory tensors, on the same MLP.

Both train the default MLP (64-128-128-10, batch norm) on the digits from the same start with the same batches; the
ratio is theirs / ours (above 1: ours is faster), in CPU seconds of one thread. Required: ours at most 0.6 of theirs, a
ratio of 1.67.
"""

import copy
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

from benchmarks.measure import command_line, interleave, ratio, write
from dlexp.build.program import Program, assemble
from dlexp.config.resolve import resolve

EPOCHS, REPEATS = 3, 21
CASES: list[tuple[str, list[str], Callable[..., torch.optim.Optimizer]]] = [
    ("sgd", ["optimizer=sgd"], lambda p: torch.optim.SGD(p, lr=0.1)),
    ("momentum", ["optimizer=momentum"], lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    ("adam", ["optimizer=adam"], lambda p: torch.optim.Adam(p, lr=0.001)),
]


def ours(built: Program) -> Callable[[], None]:
    """Return a function that trains some epochs' steps as the engine does, without evaluation."""
    run = built.run

    def call() -> None:
        run.step.forward.set_training(True)
        for epoch in range(EPOCHS):
            run.epoch, run.position, run.sums = epoch, 0, None
            for _ in run._steps(run._learning_rates(), 0.0):
                pass
            run.sums_in_hand().mean_loss()

    return call


def by_hand(built: Program, make: Callable[..., torch.optim.Optimizer]) -> Callable[[], None]:
    """Return the loop that a careful user would write."""
    data, batch = built.dataset, built.run.trainer.batch_size
    model = copy.deepcopy(built.model)
    for parameter in model.parameters():
        parameter.data = parameter.detach().clone()
    optimizer, criterion = make(model.parameters()), nn.CrossEntropyLoss()
    x = torch.cat([built.run.task.prepare(x) for x, _ in built.run.task.feed.batches([data.train])]).contiguous()
    y = data.targets[data.train]

    def call() -> None:
        model.train()
        for _ in range(EPOCHS):
            order = torch.randperm(len(x))
            loss_sum, correct = 0.0, 0
            total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
            for rows in order.split(batch):
                xb, yb = x[rows], y[rows]
                optimizer.zero_grad()
                outputs = model(xb)
                loss = criterion(outputs, yb)
                loss.backward()
                optimizer.step()
                total += loss.detach() * len(rows)
                right += (outputs.detach().argmax(1) == yb).sum()
            loss_sum, correct = float(total), int(right)
            assert loss_sum >= 0
            assert correct >= 0

    return call


def main() -> int:
    torch.set_num_threads(1)
    rows = []
    for name, overrides, make in CASES:
        built = assemble(resolve([*overrides, "trainer.threads=1", "tracking=none"]).config)
        seconds = interleave({"ours": ours(built), "by_hand": by_hand(built, make)}, REPEATS, time.process_time)
        steps = EPOCHS * built.run.steps_per_epoch
        micros = {key: round(statistics.median(values) / steps * 1e6, 1) for key, values in seconds.items()}
        rows.append({"case": name, "ratio": round(ratio(seconds, "ours", "by_hand"), 3), "us_per_step": micros})
        print(rows[-1])
    print(
        write(
            "step",
            rows,
            "ratio = hand-written loop / ours in CPU seconds, medians of interleaved repeats; above 1: ours is faster",
        )
    )
    return 0


if __name__ == "__main__":
    command_line(__doc__).parse_args()
    sys.exit(main())
