"""A search without rounds in workers that finish in a scripted order: nothing waits, and a killed one replays."""

import random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dlexp.config.dimension import Dimension
from dlexp.job.sweep.asynchronous.loop import FreeLoop
from dlexp.job.sweep.loop import TrialDone
from dlexp.job.sweep.trial import Trial, TrialResult
from dlexp.search.hyperband import Hyperband
from dlexp.search.strategy import Problem
from dlexp.search.tpe import TPE

PROBLEM = Problem([Dimension("x", "", low=0.0, high=1.0)], 9)
SEARCHES = [Hyperband(trials=16, eta=2, asynchronous=True), TPE(trials=14, startup=4, asynchronous=True)]


class Killed(Exception):
    """The end of a process."""


class Spec:
    """Two seeds for each setting."""

    def __init__(self, search):
        self.search, self.problem, self.space = search, PROBLEM, SimpleNamespace(seeds=[0, 1])
        self.is_high_better = True

    def trials(self, proposal, number):
        nothing = cast(Any, None)
        return [Trial(f"{proposal.number}-{seed}", proposal, number, seed, nothing, nothing) for seed in (0, 1)]


class Store:
    """Folders that outlive a process, and workers that finish in the order of a script.

    Args:
        folder: Of the sweep.
        script: Chooses who of those at work ends next.
        workers: How many.
        life: Ends until the process is killed; None for ever.
    """

    def __init__(self, folder, script, workers=3, life=None):
        self.sweep = SimpleNamespace(path=folder)
        self.ended, self.order, self.idle = {}, [], []
        self.go_on(script, workers, life)

    def go_on(self, script, workers=3, life=None):
        self.script, self.workers, self.life = script, workers, life

    def result(self, trial):
        value = trial.proposal.settings["x"] + 0.01 * trial.seed + 0.1 * (trial.proposal.until or 9)
        value = None if trial.proposal.number == 5 else value
        return TrialResult(trial, cast(Any, None), "failed" if value is None else "finished", value, {}, 1, 1.0)

    def look_up(self, trial):
        return self.result(trial) if (trial.id, trial.proposal.until) in self.ended else None

    def feed(self, first, following, stop_reason):
        waiting, at_work = list(first), []
        while True:
            while len(at_work) < self.workers and not stop_reason():
                trial = waiting.pop(0) if waiting else following()
                if trial is None:
                    break
                at_work.append(trial)
            self.idle.append(self.workers - len(at_work))
            if not at_work:
                return
            if self.life is not None:
                self.life -= 1
                if self.life < 0:
                    raise Killed
            trial = at_work.pop(self.script(len(at_work)))
            assert (trial.id, trial.proposal.until) not in self.ended, "trained twice"
            self.ended[trial.id, trial.proposal.until] = True
            self.order.append((trial.id, trial.proposal.until))
            yield trial, self.result(trial)


def search(store, which, interrupt=lambda: False):
    spec = Spec(which)
    loop = FreeLoop(cast(Any, spec), cast(Any, store), interrupt, adviser=which.adviser(PROBLEM))
    events = list(loop.events())
    return loop, events


def scripted(seed):
    draw = random.Random(seed)
    return lambda num: draw.randrange(num)


def table(loop):
    return [(r.trial.id, r.trial.proposal, r.value) for r in loop.in_order()]


def decisions(folder):
    return [line for line in (folder / "decisions.jsonl").read_text().split("\n") if line]


@pytest.mark.parametrize("which", SEARCHES, ids=["asha", "tpe"])
@pytest.mark.parametrize("life", [0, 1, 9, 20])
def test_a_killed_search_goes_on_with_the_decisions_that_it_took(tmp_path, which, life):
    store = Store(tmp_path, scripted(life), life=life)
    with pytest.raises(Killed):
        search(store, which)
    before = decisions(tmp_path)
    store.go_on(scripted(100))
    loop, events = search(store, which)
    assert decisions(tmp_path)[: len(before)] == before
    assert loop.why == ""
    assert len({event.result.trial.id for event in events if isinstance(event, TrialDone)}) == 2 * which.trials
    after = decisions(tmp_path)
    again, events = search(store, which)  # replayed once more, all known, it is the same search
    assert table(again) == table(loop)
    assert not any(event.is_new for event in events if isinstance(event, TrialDone))
    assert decisions(tmp_path) == after


@pytest.mark.parametrize("which", SEARCHES, ids=["asha", "tpe"])
def test_no_worker_waits_while_there_are_settings_left(tmp_path, which):
    store = Store(tmp_path, scripted(3))
    search(store, which)
    assert set(store.idle[:20]) == {0}


def test_what_is_tried_depends_on_the_order_of_the_ends_and_says_so(tmp_path):
    tables = []
    for seed in range(3):
        (tmp_path / str(seed)).mkdir()
        loop, _ = search(Store(tmp_path / str(seed), scripted(seed)), SEARCHES[1])
        tables.append(table(loop))
        assert loop.depends_on_timing
    assert tables[0] != tables[1] or tables[1] != tables[2]


def test_a_wish_to_stop_leaves_what_is_in_hand_for_later(tmp_path):
    store, wishes = Store(tmp_path, scripted(0)), []
    original = store.result

    def note(trial):
        wishes.append(trial)
        return original(trial)

    store.result = note
    loop, _ = search(store, SEARCHES[0], interrupt=lambda: len(wishes) > 5)
    assert loop.why == "interrupted"
    store.result = original
    whole, _ = search(store, SEARCHES[0])
    assert whole.why == ""
    assert len(whole.results) == 2 * SEARCHES[0].trials


def test_a_trial_whose_folder_is_gone_is_trained_again_and_changes_no_decision(tmp_path):
    store = Store(tmp_path, scripted(0))
    loop, _ = search(store, SEARCHES[1])
    before = decisions(tmp_path)
    gone = store.order[3]
    del store.ended[gone]
    again, events = search(store, SEARCHES[1])
    assert [event.result.trial.id for event in events if isinstance(event, TrialDone) and event.is_new] == [gone[0]]
    assert table(again) == table(loop)
    assert decisions(tmp_path) == before
