"""Every task has an answer, and a folder of its records can be read by the task's name alone."""

from typing import get_args

import pytest
import torch

from dlexp.data.dataset import Dataset
from dlexp.engine.answer.choice import KINDS, answer_of, record_kind
from dlexp.engine.answer.classes import Classes
from dlexp.engine.answer.reconstruction import Reconstruction
from dlexp.engine.answer.values import Values
from dlexp.run.document import Task
from dlexp.type import InDocument


def test_every_task_has_one():
    (stated,) = (each for each in get_args(Task) if isinstance(each, InDocument))
    assert set(KINDS) == set(stated.schema["enum"])


def test_the_data_say_which():
    rows = torch.arange(4)
    data = Dataset("x", "binary", torch.zeros(4, 2), rows % 2, rows, rows, rows[:0], ["no", "yes"], positive=0)
    assert answer_of(data) == Classes(2, positive=0)
    values = Dataset("x", "regression", torch.zeros(4, 2), torch.rand(4), rows, rows, rows[:0])
    assert isinstance(answer_of(values), Values)
    assert isinstance(answer_of(data.of_inputs_alone()), Reconstruction)


@pytest.mark.parametrize(
    ("monitor", "task", "kind"),
    [
        ("val/accuracy", "binary", "bits"),
        ("val/loss", "multiclass", "losses"),
        ("val/log_loss", "multiclass", "losses"),
        ("val/roc_auc", "binary", None),
        ("train/loss", "binary", None),
        ("val/rmse", "regression", "values"),
        ("val/loss", "regression", "values"),
        ("val/loss", "reconstruct", "values"),
        ("val/explained_variance", "reconstruct", None),
    ],
)
def test_kinds(monitor, task, kind):
    assert record_kind(monitor, task) == kind
