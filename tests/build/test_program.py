"""What a configuration and data become: units of values, equal classes, the metric that chooses."""

from dataclasses import replace

import pytest
import torch

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import assemble, make_program
from dlexp.build.structure import structure_key
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.engine.task import epoch_batches
from dlexp.error import ConfigError

BASE = ["tracking=none", "trainer.threads=1", "model.widths=[8]", "trainer.device=cpu"]


def history(run) -> dict[int, list[dict[str, float]]]:
    epochs: dict[int, list[dict[str, float]]] = {trial: [] for trial in run.trials}
    for event in run.events():
        if isinstance(event, EpochEnd):
            epochs[event.trial].append(event.metrics)
    return epochs


def folds(dataset, k=3):
    rows = torch.cat([dataset.train, dataset.val]).sort().values
    rows = rows[: len(rows) // k * k]
    parts = [rows[i::k] for i in range(k)]
    return [dataset.with_parts(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


@pytest.mark.parametrize("overrides", [["data=diabetes"], ["data=breast_cancer", "trainer.oversample=true"]])
@pytest.mark.parametrize("engine", ["batched", "vmapped"])
def test_folds_together_and_alone_are_equal(overrides, engine):
    config = resolve([*BASE, *overrides, "trainer.precision=fp64", "trainer.epochs=2"]).config
    datasets = folds(load_data(config))
    if "trainer.oversample=true" in overrides:
        key = structure_key(config, datasets[0])
        datasets = [fold for fold in datasets if structure_key(config, fold) == key]
    together = history(make_program(components_of([config] * len(datasets), datasets), engine).run)
    for trial, fold in enumerate(datasets):
        alone = history(assemble(config, fold).run)[0]
        assert together[trial] == [pytest.approx(metrics, rel=1e-7) for metrics in alone]


BALANCED = ["loss=cross_entropy", "loss.class_weight=balanced"]


@pytest.mark.parametrize(("setting", "is_parted"), [(["trainer.oversample=true"], True), (BALANCED, False)])
def test_folds_whose_classes_differ_share_a_program_unless_they_draw_other_numbers(setting, is_parted):
    config = resolve([*BASE, "data=breast_cancer", *setting]).config
    data = load_data(config)
    assert (structure_key(config, data) != structure_key(config, uneven(data))) == is_parted
    assert structure_key(config, data) == structure_key(config, data.with_parts(data.train, data.val))


def test_folds_are_balanced_each_by_its_own_training_part():
    config = resolve([*BASE, "data=breast_cancer", *BALANCED, "trainer.precision=fp64", "trainer.epochs=2"]).config
    data = load_data(config)
    datasets = [data, uneven(data)]
    together = history(make_program(components_of([config] * 2, datasets), "batched").run)
    for trial, fold in enumerate(datasets):
        assert together[trial] == [pytest.approx(loss, rel=1e-7) for loss in history(assemble(config, fold).run)[0]]


def uneven(data):
    rows = torch.cat([data.train, data.val])
    rows = rows[data.targets[rows].argsort(stable=True)]
    return data.with_parts(rows[: len(data.train)], rows[len(data.train) :])


def test_a_value_is_learnt_in_any_unit():
    config = resolve([*BASE, "data=diabetes", "optimizer=adam", "trainer.epochs=3"]).config
    data = load_data(config)
    errors = []
    for scale, shift in ((1.0, 0.0), (1e-3, 5.0), (4096.0, -3e5)):
        metrics = history(assemble(config, replace(data, targets=data.targets * scale + shift)).run)[0]
        errors.append((metrics[-1]["val/loss"], metrics[-1]["val/rmse"] / scale, metrics[-1]["val/r2"]))
    for other in errors[1:]:
        assert other == pytest.approx(errors[0], rel=1e-2)
    assert errors[0][1] > 10, "in the target's own unit"


def test_an_epoch_draws_classes_equally_often_and_validation_is_as_it_was():
    config = resolve([*BASE, "data=breast_cancer", "trainer.oversample=true"]).config
    data = load_data(config)
    run = assemble(config, data).run
    epochs = [epoch_batches(run.task, run.trainer, run.seeds, epoch) for epoch in (0, 0, 1)]
    rows = [torch.cat([part.x for parts in epoch for part in parts]) for epoch in epochs]
    assert rows[0].equal(rows[1])
    assert not rows[0].equal(rows[2])
    assert len(epochs[0]) == run.steps_per_epoch
    counts = torch.bincount(data.targets[data.train])
    assert torch.bincount(data.targets[rows[0]]).tolist() == [int(counts.max())] * 2
    assert set(rows[0].tolist()) == set(data.train.tolist())
    assert run.task.val[0].equal(data.val)


@pytest.mark.parametrize(
    ("data", "metric"),
    [("wine", "roc_auc"), ("wine", "calibration_error"), ("breast_cancer", "f1"), ("diabetes", "median_error")],
)
def test_any_metric_chooses_the_best_epoch(data, metric):
    config = resolve([*BASE, f"data={data}", f"trainer.monitor=val/{metric}", "trainer.epochs=4"]).config
    run = assemble(config).run
    values = [metrics[f"val/{metric}"] for metrics in history(run)[0]]
    best = min(values) if metric.endswith("error") else max(values)
    assert run.stopping[0].best == best
    assert run.stopping[0].best_epoch == values.index(best) + 1


@pytest.mark.parametrize(
    ("data", "monitor"),
    [
        ("wine", "accuracy"),
        ("wine", "test/accuracy"),
        ("wine", "val/rmse"),
        ("wine", "val/confusion"),
        ("diabetes", "val/bias"),
    ],
)
def test_what_is_no_metric_of_the_task_is_refused(data, monitor):
    with pytest.raises(ConfigError, match=f"trainer.monitor: got {monitor}; choose one of val/loss"):
        assemble(resolve([*BASE, f"data={data}", f"trainer.monitor={monitor}"]).config)
