"""What trials of one structure take, measured: seconds, memory and disk of a program that is thrown away.

Everything is timed on the real machinery: updates with their batches gathered and augmented, the evaluation of the
validation part, an epoch's checkpoints and a trial's end in a temporary folder.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from dlexp import device as devices
from dlexp.build.components import Components
from dlexp.build.program import Program, make_program
from dlexp.engine import checkpoint
from dlexp.engine.evaluate import predict
from dlexp.engine.event import EpochEnd
from dlexp.engine.memory import peak_bytes
from dlexp.engine.train import Run
from dlexp.execution.assignment import Assignment, Group
from dlexp.execution.description import describe_run
from dlexp.execution.fusion import Choice, choose
from dlexp.execution.result import conclude_trial
from dlexp.execution.save import saved_model
from dlexp.execution.save.saver import save_epoch
from dlexp.run.folder import METRICS, TRIALS, RunFolder
from dlexp.tracking.content import artifacts
from dlexp.tracking.mlflow import NONE
from dlexp.tracking.store import choose as choose_store
from dlexp.type import Config

TIMED_UPDATES = 3
FORWARD_SHARE = 1 / 3  # of an update's operations, which evaluating needs alone
MOST_TIMED = 3  # structures: others are taken to be like these

TIMED_SECONDS = 1.0
MOST_STEPS = 60
BLOCK = 4096  # bytes that a file system gives out at once
ROW = 150  # bytes of one value in MLflow's database

Measured = Callable[[int, int], None]  # structures that are measured already, and all


def unheard(_done: int, _total: int) -> None:
    """Take how far the measuring is and keep it to oneself."""


@dataclass(frozen=True)
class Estimate:
    """What a trial takes when trained the way that was chosen.

    Attributes:
        choice: Engine and size, with the reason.
        num_params: Of its model.
        steps: Updates of an epoch.
        update: Seconds of an update, a trial's share of the program's.
        evaluation: Seconds of an epoch's evaluation, likewise.
        saving: Seconds of an epoch's checkpoints and records.
        choosing: Seconds of the choice, which the sweep makes once more.
        start: Seconds until a program is built, a trial's share.
        end: Seconds of a trial's end: folder, predictions, result.
        memory: Bytes of the whole program: weights, gradients, optimiser state, activations, data.
        free: Bytes of the device that are free without it.
        disk: Bytes of a trial's folder after its first epoch, and of MLflow's copies.
        disk_epoch: Bytes of each further epoch.
    """

    choice: Choice
    num_params: int
    steps: int
    update: float
    evaluation: float
    saving: float
    choosing: float
    start: float
    end: float
    memory: int
    free: int
    disk: int
    disk_epoch: int

    @property
    def epoch_seconds(self) -> float:
        """Seconds of an epoch of one trial."""
        return self.steps * self.update + self.evaluation + self.saving


def estimate(components: list[Components], cache: Path | None = None) -> Estimate:
    """Choose how trials or folds of one structure train, and measure what that takes.

    Args:
        components: Of trials of equal structure, as many as will be trained at a time.
        cache: File with measured choices, which is read and written; None measures anew.
    """
    device = components[0].place[0]
    free = devices.free_bytes(device)
    started = devices.clock(device)
    choice = choose(components, cache)
    choosing = devices.clock(device) - started
    size = min(choice.size, len(components))
    started = devices.clock(device)
    built = make_program(components[:size], choice.engine)
    start = devices.clock(device) - started
    solo = built if choice.engine == "solo" else make_program(components[:1])
    update = built.run.one_update()
    update()
    evaluation, metrics = _time_evaluation(built.run)
    paper = _time_folder(solo, components[0].config, metrics)
    per_update = _time_updates(built.run)
    return Estimate(
        choice=choice,
        num_params=sum(p.numel() for p in solo.model.parameters()),
        steps=built.run.steps_per_epoch,
        update=per_update / size,
        evaluation=evaluation / size,
        choosing=choosing,
        start=start / size,
        memory=_memory(built, update),
        free=free,
        **paper,
    )


def _time_evaluation(run: Run) -> tuple[float, dict[str, list[float]]]:
    """Return the seconds of an evaluation of all trials, and what it finds."""
    seconds, metrics, device = 0.0, {}, run.step.forward.flat.tensor.device
    for _ in range(2):  # the first makes what is made once
        if seconds < TIMED_SECONDS and len(run.task.val[0]):
            started = devices.clock(device)
            metrics = run.evaluate()
            seconds = devices.clock(device) - started
    return seconds, {f"val/{name}": values for name, values in metrics.items()}


def _time_updates(run: Run) -> float:
    """Return the mean seconds of an update with its batch, over some batches; the run is spent afterwards."""
    marks: dict[int, float] = {}
    limit = min(MOST_STEPS, run.steps_per_epoch)

    def should_stop() -> bool:
        if run.number not in marks:
            marks[run.number] = devices.clock(run.step.forward.flat.tensor.device)
        return run.number >= limit or (run.number >= 2 and marks[run.number] - marks[0] > TIMED_SECONDS)

    run.should_stop = should_stop
    for _ in run.events():
        pass
    return (marks[run.number] - marks[0]) / run.number


def _time_folder(built: Program, config: Config, metrics: dict[str, list[float]]) -> dict[str, Any]:
    """Write a trial's folder to a temporary place; return seconds and bytes as `Estimate` has them."""
    about = {**describe_run(built, config), "kind": "trial", "params": {}, "packages": {}}
    values = {"train/loss": 0.0, **{name: values_T[0] for name, values_T in metrics.items()}}
    with tempfile.TemporaryDirectory() as place:
        started = devices.clock(built.device)
        folder = RunFolder.create(Path(place), TRIALS, "trial", config=config, overrides=[], manifest=about)
        folder.unlock()
        saved_model.write(folder, built.dataset, built.affine, built.run.task, built.run.step.rules.loss, built.model)
        made = devices.clock(built.device) - started
        spans, sizes = [], []
        for epoch, is_best in ((1, True), (2, False), (3, True)):
            started = devices.clock(built.device)
            save_epoch(built.run, folder, EpochEnd(0, epoch, epoch, 0.1, values, 1.0, is_best))
            spans.append(devices.clock(built.device) - started)
            sizes.append(_bytes([folder.path / METRICS, folder.path / "log.txt"]))
        started = devices.clock(built.device)
        checkpoint.drop_previous(folder.checkpoints / "last")
        conclude_trial(built, folder, config, "finished", "", None)
        ended = devices.clock(built.device) - started
        folder_bytes = sum(
            -(-path.stat().st_size // BLOCK) * BLOCK for path in folder.path.rglob("*") if path.is_file()
        )
        sent, sent_epoch = _sent(folder, config, len(values))
    growth = (sizes[2] - sizes[0]) // 2
    return {
        "saving": sum(spans[1:]) / 2,
        "end": made + ended,
        "disk": folder_bytes + sent,
        "disk_epoch": growth + (sent_epoch + growth if sent else 0),
    }


def _sent(folder: RunFolder, config: Config, num_metrics: int) -> tuple[int, int]:
    """Return the bytes of MLflow's copies and of an epoch's rows; none where tracking is off or on a server."""
    tracking = config["tracking"]
    if tracking["_target_"] == NONE or choose_store(folder.runs_dir, tracking["uri"]).database is None:
        return 0, 0
    paths = [path for path, _ in artifacts(folder, weights=tracking["weights"])]
    return _bytes(paths), num_metrics * ROW


def _bytes(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.exists())


def _memory(built: Program, update: Callable[[], None]) -> int:
    run = built.run
    step, task = run.step, run.task
    first = [rows[: run.eval_batch_size] for rows in task.val]
    peaks = [peak_bytes(update, built.device)]
    if len(first[0]):
        peaks.append(peak_bytes(lambda: _predict(run, first), built.device))
    inputs = built.dataset.inputs
    # floats that are normalised beforehand are there twice
    data = inputs.numel() * inputs.element_size() * (2 if task.affine is None else 1)
    lasting = [step.forward.flat.tensor, step.forward.grads, *step.state.values()]
    return max(peaks) + sum(tensor.numel() * tensor.element_size() for tensor in lasting) + data


def _predict(run: Run, parts: list[Tensor]) -> None:
    predict(run.step.forward, run.task, parts, run.eval_batch_size)


def seconds(structures: list[Group]) -> float:
    """Return about how long trials or folds train one after another, saving apart.

    Args:
        structures: Those of one structure each, with how they will train; `Choice.gain` shortens it.
    """
    timed = structures[:MOST_TIMED]
    num_timed, num = (sum(len(group.assignments) for group in groups) for groups in (timed, structures))
    return sum(_seconds(group) for group in timed) / num_timed * num


def _seconds(group: Group) -> float:
    components = group.assignments[0].components
    program = make_program([components])
    run = program.run
    update = run.one_update()
    shortest = float("inf")
    for _ in range(TIMED_UPDATES + 1):  # the first makes what is made once
        started = devices.clock(program.device)
        update()
        shortest = min(shortest, devices.clock(program.device) - started)
    batches = len(components.data.val) / run.trainer.batch_size
    updates = run.steps_per_epoch + FORWARD_SHARE * batches / run.trainer.accumulate
    return shortest / group.choice.gain * updates * sum(epochs_left(assignment) for assignment in group.assignments)


def epochs_left(assignment: Assignment) -> int:
    """Return how many epochs a trial has left."""
    last = assignment.until or assignment.config["trainer"]["epochs"]
    return max(0, last - (assignment.folder.saved_epoch() or 0))
