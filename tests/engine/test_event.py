"""What an engine tells travels to another process: plain numbers that come out of a pickle as they went in."""

import pickle
from dataclasses import FrozenInstanceError, fields

import pytest

from dlexp.engine.event import EpochEnd, Progress, TrialEnd

EVENTS = [
    Progress(epoch=1, step=3, steps=9, loss=0.5, lr=0.1, examples_per_second=1000.0),
    EpochEnd(trial=2, epoch=1, step=9, lr=0.1, metrics={"val/accuracy": 0.9}, seconds=1.5, is_best=True),
    TrialEnd(trial=2, status="diverged", reason="loss is not finite", best_epoch=0),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_survive_a_pickle_and_cannot_be_changed(event):
    assert pickle.loads(pickle.dumps(event)) == event
    with pytest.raises(FrozenInstanceError):
        setattr(event, fields(event)[0].name, 7)
