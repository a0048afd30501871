"""The host waits for the device at no update, whatever is trained and however: only to log, and at an epoch's end."""

import pytest

from benchmarks.case import VALUES, Case
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
            log.clear()
            assert list(run.updates()) == []  # no progress is told: it would wait
        return dict(log.where)


@pytest.fixture(autouse=True)
def _no_progress(monkeypatch):
    monkeypatch.setattr("dlexp.engine.train.PROGRESS_SECONDS", float("inf"))


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
    "overrides", [{"trainer.accumulate": "2"}, {"loss": "cross_entropy", "loss.class_weight": "balanced"}], ids=str
)
def test_no_update_of_folds_waits(overrides):
    case = Case("folds", {"model": "mlp", "model.widths": "[6]", **overrides}, [{}, {}, {}], folds=True)
    for form in ("graphed", "vmapped", "batched"):
        assert waits_of_an_epoch(case, form, "fp32") == {}
