"""Every readable source of the corpus goes through train, predict, cv and the audit; every other is refused by all."""

import re
from typing import Any

import numpy as np
import pytest

from dlexp.config.resolve import resolve
from dlexp.error import DlexpError
from dlexp.job.cv.audit import audit
from dlexp.job.cv.cv import start as start_cv
from dlexp.job.inference import predict
from dlexp.job.train import train
from tests.data.corpus import folders, refused, tables

READ = [*tables.READ, *folders.READ]
REFUSED = [*refused.REFUSED, *folders.REFUSED]
QUICK = ["trainer.epochs=1", "tracking=none", "optimizer.lr=0.001"]


def quiet(_about):
    return lambda _event: None


@pytest.mark.slow
@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_through_every_command(case, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    overrides = [*case.write(source), *QUICK]
    path = next(text.partition("=")[2].strip("'") for text in overrides if text.startswith("data.path="))
    composed = resolve([*overrides, f"runs_dir={tmp_path / 'runs'}"])
    outcome = train.start(composed, announce=quiet)
    assert outcome.result["status"] == "finished"
    files = [source / case.new] if case.new else sorted(source.glob("*.csv")) if "*" in path else [path]
    answer: Any = predict.predict("last", tmp_path / "runs", [source / file for file in files])
    assert len(answer["predictions"]) == case.expected.get("num", tables.NUM)
    numbers = [entry.get("probability", entry.get("value")) for entry in answer["predictions"]]
    assert np.isfinite(numbers).all()
    scheme = ["cv=rolling", "cv.k=2"] if any("data.time=" in text for text in overrides) else ["cv.k=2"]
    assert audit([*overrides, *scheme])["clean"]
    folds = start_cv([*overrides, *scheme, f"runs_dir={tmp_path / 'cv'}"], announce=quiet)
    assert folds.result["complete"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused_by_all(case, tmp_path):
    overrides = [*case.write(tmp_path), *QUICK]
    lines = []
    with pytest.raises(DlexpError) as error:
        train.start(resolve([*overrides, f"runs_dir={tmp_path / 'runs'}"]), announce=quiet)
    lines.append(str(error.value))
    with pytest.raises(DlexpError) as error:
        audit([*overrides, *(["cv=rolling"] if any("data.time=" in text for text in overrides) else [])])
    lines.append(str(error.value))
    assert all(re.search(case.refusal, line) for line in lines)
    assert not (tmp_path / "runs").exists()
