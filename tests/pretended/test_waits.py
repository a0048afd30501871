"""The host waits for the device at no update, whatever is trained and however: only to log, and at an epoch's end."""

import csv
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from benchmarks.case import PAIRS, VALUES, Case, blocks, models
from benchmarks.equality import divide
from dlexp.build.components import components_of
from dlexp.build.program import make_program
from tests.pretended.case import FORMS, case_of, configurations, marked
from tests.pretended.device import pretend


def waits_of_an_epoch(case: Case, form: str, precision: str) -> dict[str, int]:
    """Return what the host waits for in the third epoch: until then graphs are captured."""
    with pretend() as log:
        configs = configurations(case, precision, "cuda")
        components = components_of(configs, divide(case, configs))
        run = make_program(components if form != "solo" else components[:1], form).run
        for run.epoch in (0, 1, 2):
            run.position = 0
            run.set_thawed(run.thaw is not None and run.epoch >= run.thaw.until)
            log.clear()
            assert list(run.updates()) == []  # no progress is told: it would wait
        return dict(log.where)


@pytest.fixture(autouse=True)
def _no_progress(monkeypatch):
    monkeypatch.setattr("dlexp.engine.train.PROGRESS_SECONDS", float("inf"))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A table of two targets of which every fourth row lacks one, and weights."""
    folder, draw = tmp_path_factory.mktemp("files"), np.random.default_rng(0)
    with (folder / "t.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["p", "q", "r", "kind", "size"])
        for number, values in enumerate(draw.normal(size=(80, 3))):
            rows.writerow([*values, f"k{values.argmax()}", values.sum() if number % 4 else ""])
    case = Case("weights", {"model": "mlp", "model.widths": "[16,16]"}, [{}])
    configs = configurations(case, "fp32", "cpu")
    save_file(make_program(components_of(configs, divide(case, configs))).model.state_dict(), folder / "w.safetensors")
    return folder


SEVERAL = {"data": "csv", "data.path": "{files}/t.csv", "data.target": "[kind,size]", "data.limit": "null"}
CNN = {"model": "cnn", "model.channels": "[4,6]"}
KINDS: dict[str, dict[str, str]] = {
    "pairs": PAIRS,
    "pairs of images": {**PAIRS, **CNN, "loss": "contrastive"},
    "reconstruction": {"task": "reconstruct", "model.code": "3"},
    "images reconstructed": {"task": "reconstruct", **CNN, "model.code": "3", "trainer.accumulate": "2"},
    "several targets with gaps": SEVERAL,
    "their batches accumulated": {**SEVERAL, "trainer.accumulate": "2", "trainer.ema": "0.9"},
    "frozen": {"freeze": "[hidden.0]", "freeze.norm": "false", "dropout": "inverted", "optimizer": "adam"},
    "frozen at first": {"freeze": "[hidden.0]", "freeze.until": "1", "optimizer": "adam", "trainer.ema": "0.9"},
    "all but the last": {**CNN, "freeze.all_but": "[output]", "freeze.until": "1"},
    "weights of a file": {"init_from": "{files}/w.safetensors"},
    "a schedule by results": {"schedule": "plateau"},
    "exact statistics": {"norm.statistics": "exact", "dropout": "inverted", "trainer.accumulate": "2"},
}
ONE_EACH = [
    pytest.param(name, form, marks=() if number % len(FORMS) == place else pytest.mark.slow)
    for number, name in enumerate(KINDS)
    for place, form in enumerate(FORMS)
]


@pytest.mark.parametrize(("name", "form"), ONE_EACH)
def test_no_update_of_any_kind_of_training_waits(files, name, form):
    chosen = {key: value.format(files=files) for key, value in KINDS[name].items()}
    widths = {} if "model" in chosen else {"model": "mlp", "model.widths": "[16,16]"}
    assert waits_of_an_epoch(Case(name, {**widths, **chosen}), form, "fp32") == {}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", [*models(rules=("adamw",)), *blocks()], ids=lambda case: case.name)
def test_no_update_of_any_option_waits(case, form):
    assert waits_of_an_epoch(case, form, "fp32") == {}


@pytest.mark.parametrize("row", marked(16, size=1))
def test_no_update_waits(row):
    assert waits_of_an_epoch(*case_of(row)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[1])
def test_no_update_of_trials_that_differ_waits(value, form):
    overrides, key, pair = value
    case = Case(key, {"model": "mlp", "model.widths": "[6]", **overrides}, [{key: each} for each in pair])
    assert waits_of_an_epoch(case, form, "fp32") == {}


@pytest.mark.parametrize(
    "overrides",
    [
        {"trainer.accumulate": "2"},
        {"loss": "cross_entropy", "loss.class_weight": "balanced"},
        {"schedule": "plateau", "augment": "flip_crop"},
    ],
    ids=str,
)
def test_no_update_of_folds_waits(overrides):
    case = Case("folds", {"model": "mlp", "model.widths": "[6]", **overrides}, [{}, {}, {}], folds=True)
    for form in ("graphed", "vmapped", "batched"):
        assert waits_of_an_epoch(case, form, "fp32") == {}
