"""The loop of a search: what is known is not trained, a strategy hears means over seeds, limits end it."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dlexp.engine.event import EpochEnd
from dlexp.job.sweep.loop import RoundBegin, SearchLoop, TrialDone, TrialEpoch
from dlexp.job.sweep.trial import Trial, TrialResult
from dlexp.search.strategy import Proposal, Round

EPOCH = EpochEnd(0, 1, 1, 0.1, {}, 0.1, True)


@dataclass
class Spec:
    """Two rounds of two settings; keeps what the strategy was told."""

    seeds: list[int]
    is_high_better: bool = True
    search: Any = None
    space: Any = None
    problem: Any = None
    told: list = field(default_factory=list)

    def __post_init__(self):
        self.search = SimpleNamespace(total=lambda _problem: 4, max_seconds=None, stop_after_failures=None)
        self.space, self.problem = SimpleNamespace(seeds=self.seeds), None

    def trials(self, proposal: Proposal, round_number: int) -> list[Trial]:
        seeds: list[int | None] = [*self.seeds] or [None]
        nothing = cast(Any, None)
        return [Trial(f"{proposal.number}-{seed}", proposal, round_number, seed, nothing, nothing) for seed in seeds]

    def rounds(self):
        for number in (1, 2):
            first = 2 * (number - 1)
            proposals = [Proposal(first + i, {"optimizer.lr": float(first + i)}) for i in range(2)]
            self.told.append((yield Round(number, proposals, notes=["lr: at the upper edge of [0, 1]", "other"])))


@dataclass
class Store:
    """Knows results, and trains the others to the values given."""

    values: dict[str, float | None]
    known: tuple[str, ...] = ()
    trained: list[str] = field(default_factory=list)

    def result(self, trial: Trial) -> TrialResult:
        value = self.values[trial.id]
        return TrialResult(trial, cast(Any, None), "failed" if value is None else "finished", value, {}, 1, 1.0)

    def look_up(self, trial: Trial) -> TrialResult | None:
        return self.result(trial) if trial.id in self.known else None

    def train(self, trials: list[Trial], stop_reason):
        for trial in trials:
            if stop_reason():
                return
            self.trained.append(trial.id)
            yield trial, EPOCH
            yield trial, self.result(trial)


def loop_of(spec: Spec, store: Store, interrupt=lambda: False) -> SearchLoop:
    return SearchLoop(cast(Any, spec), cast(Any, store), interrupt)


VALUES: dict[str, float | None] = {"0-None": 0.5, "1-None": 0.7, "2-None": 0.9, "3-None": 0.1}


def test_every_trial_is_told_of_and_counted_against_the_total():
    store = Store(VALUES, known=("1-None",))
    loop = loop_of(Spec([]), store)
    events = list(loop.events())
    begins = [event for event in events if isinstance(event, RoundBegin)]
    ends = [event for event in events if isinstance(event, TrialDone)]
    assert [(begin.round.number, begin.done, begin.total) for begin in begins] == [(1, 0, 4), (2, 2, 4)]
    assert [(end.result.trial.id, end.done, end.is_new) for end in ends] == [
        ("1-None", 1, False),
        ("0-None", 2, True),
        ("2-None", 3, True),
        ("3-None", 4, True),
    ]
    assert sum(isinstance(event, TrialEpoch) for event in events) == 3
    assert store.trained == ["0-None", "2-None", "3-None"]
    assert [result.trial.id for result in loop.in_order()] == list(VALUES)
    assert [ranked.number for ranked in loop.ranking()] == [2, 1, 0, 3]
    assert loop.notes == ["lr: at the upper edge of [0, 1]"] * 2
    assert loop.why == ""
    assert [result.trial.round for result in loop.in_order()] == [1, 1, 2, 2]


@pytest.mark.parametrize(("is_high", "sign"), [(True, 1.0), (False, -1.0)])
def test_the_strategy_hears_means_over_seeds_higher_is_better(is_high, sign):
    spec = Spec([0, 1], is_high_better=is_high)
    values: dict[str, float | None] = {f"{n}-{s}": n + 0.5 * s for n in range(4) for s in range(2)}
    values["1-1"] = None
    list(loop_of(spec, Store(values)).events())
    assert spec.told == [[sign * 0.25, None], [sign * 2.25, sign * 3.25]]


def test_failures_end_it_when_there_are_as_many_as_allowed():
    spec = Spec([])
    spec.search.stop_after_failures = 1
    store = Store(VALUES | {"0-None": None})
    loop = loop_of(spec, store)
    list(loop.events())
    assert loop.why == "1 trial failed or diverged: search.stop_after_failures"
    assert store.trained == ["0-None"]


def test_time_and_the_user_end_it():
    spec = Spec([])
    spec.search.max_seconds = 1e-9
    loop = loop_of(spec, Store(VALUES))
    list(loop.events())
    assert loop.why == "search.max_seconds=1e-09 are over"
    loop = loop_of(Spec([]), Store(VALUES), interrupt=lambda: True)
    list(loop.events())
    assert loop.why == "interrupted"
    assert loop.ranking() == []
