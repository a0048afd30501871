"""Seconds of an update on a card: alone layer by layer, alone as a graph, and in stacks, against a loop by hand."""

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from benchmarks.fuse import CASES as SMALL_CASES
from benchmarks.fuse import medians
from dlexp.build.components import Components, components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import Program, make_program
from dlexp.config.resolve import resolve
from dlexp.engine.stack.kind import stack_kinds

NAMES = ("mlp 64-32-10", "mlp 784-256-256-10", "cnn 3 stages 28x28", "resnet-20 32x32")
LARGE = "resnet-50 224x224 bf16"
CASES: dict[str, list[str]] = {
    **{name: SMALL_CASES[name] for name in NAMES},
    LARGE: [
        *("data=fake", "data.shape=[3,224,224]", "data.num_train=96", "data.num_val=32", "model=resnet"),
        *("model.depth=50", "trainer.precision=bf16"),
    ],
}
SIZES = (8, 32, 128)
TOO_LONG = 0.25  # seconds of an update of all trials beyond which larger stacks are not measured
BUILD_SECONDS = 20.0


def measure(name: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each form and size."""
    overrides = CASES[name]
    hand, eager, graph = by_hand(overrides), program(overrides, 1, is_graph=False), program(overrides, 1)
    calls = {"hand": hand, "eager": eager.run.one_update(), "graph": graph.run.one_update()}
    seconds = medians(calls)
    yield _row("a loop by hand", 1, seconds["hand"], seconds)
    yield _row("solo, layer by layer", 1, seconds["eager"], seconds)
    yield _row("solo", 1, seconds["graph"], seconds)
    kinds, _ = stack_kinds(eager.model, eager.dataset.in_shape, eager.device)
    del graph, calls
    for kind in kinds:
        for size in SIZES[: 1 if name == LARGE else None]:
            began = time.perf_counter()
            try:
                stack = program(overrides, size, kind)
                taken = medians({"hand": hand, "eager": eager.run.one_update(), "stack": stack.run.one_update()})
            except (RuntimeError, MemoryError) as error:
                yield {"engine": kind, "trials": size, "failed": str(error).splitlines()[0][:200]}
                break
            yield _row(kind, size, taken["stack"] / size, taken)
            del stack
            if taken["stack"] > TOO_LONG or time.perf_counter() - began > BUILD_SECONDS:
                break


def program(overrides: list[str], trials: int, engine: str = "solo", *, is_graph: bool = True) -> Program:
    """Return a program of trials that differ in seed and learning rate."""
    return make_program(trials_of(overrides, trials, is_graph=is_graph), engine)


def trials_of(overrides: list[str], trials: int, *, is_graph: bool = True) -> list[Components]:
    """Return trials that differ in seed and learning rate."""
    common = [
        "tracking=none",
        "trainer.device=cuda",
        f"trainer.cuda_graph={str(is_graph).lower()}",
        "trainer.threads=1",
    ]
    base = resolve([*common, *overrides]).config
    made = [copy.deepcopy(base) for _ in range(trials)]
    for i, config in enumerate(made):
        config["seed"], config["optimizer"]["lr"] = i, 0.01 * (1 + i % 7)
    return components_of(made, [load_data(base)] * trials)


def by_hand(overrides: list[str]) -> Callable[[], None]:
    """Return one update of the loop that a careful user would write, with a batch that lies on the card."""
    built = program(overrides, 1, is_graph=False)
    model, precision = copy.deepcopy(built.model), built.run.trainer.precision
    for parameter in model.parameters():
        parameter.data, parameter.grad = parameter.detach().clone(), None
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=0.01), nn.CrossEntropyLoss()
    rows = built.dataset.train[: built.run.trainer.batch_size]
    ((x, y),) = built.run.task.feed.batches([rows])
    x = built.run.task.prepare(x)

    def call() -> None:
        optimizer.zero_grad()
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"):
            loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()

    return call


def _row(engine: str, trials: int, each: float, taken: dict[str, float]) -> dict[str, Any]:
    return {
        "engine": engine,
        "trials": trials,
        "us": round(each * 1e6, 1),
        "against_hand": round(taken["hand"] / each, 2),
        "against_layer_by_layer": round(taken["eager"] / each, 2),
    }
