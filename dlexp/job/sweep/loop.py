"""The loop of a search: a strategy asks, trials are looked up or trained, the strategy is told."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace

from dlexp.engine.event import EpochEnd
from dlexp.job.sweep.leaderboard import RankedSetting, rank
from dlexp.job.sweep.spec import SweepSpec
from dlexp.job.sweep.trial import Trial, TrialResult
from dlexp.job.sweep.trial_store import TrialStore
from dlexp.number import noun
from dlexp.run.status import Status
from dlexp.search.strategy import Round, Scores, Strategy


@dataclass(frozen=True)
class RoundBegin:
    """A round is about to be looked up and trained.

    Attributes:
        round: What the strategy asked for.
        done: Trials of earlier rounds.
        total: Trials expected in all, as far as known.
    """

    round: Round
    done: int
    total: int


@dataclass(frozen=True)
class TrialEpoch:
    """A trial ended an epoch."""

    trial: Trial
    event: EpochEnd


@dataclass(frozen=True)
class TrialDone:
    """A trial ended, or was found done.

    Attributes:
        result: How it ended.
        done: Trials done, this one included.
        total: Trials expected in all, as far as known.
        is_new: False when an earlier process, or another sweep, had trained it.
    """

    result: TrialResult
    done: int
    total: int
    is_new: bool


SweepEvent = RoundBegin | TrialEpoch | TrialDone


@dataclass
class SearchLoop:
    """A running search: iterate over `events`, then read what came of it.

    Attributes:
        spec: What is asked for.
        trials: Looks up and trains.
        interrupt: The user's wish to stop.
        results: The latest of each trial.
        notes: Why ranges moved.
        why: Why the search ended before its time; "" when it did not.
        depends_on_timing: Whether the same search may try other settings when trials end in another order.
    """

    spec: SweepSpec
    trials: TrialStore
    interrupt: Callable[[], bool]
    results: dict[str, TrialResult] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    why: str = ""
    depends_on_timing: bool = field(default=False, init=False)
    _started: float = field(default_factory=time.monotonic)

    def events(self) -> Iterator[SweepEvent]:
        """Search until the strategy has had enough, a limit is met or an interrupt comes."""
        strategy, done = Strategy(self.spec.rounds()), 0
        while (round_ := strategy.ask()) is not None:
            trials = [trial for proposal in round_.proposals for trial in self.spec.trials(proposal, round_.number)]
            total = self._total(len(trials), done)
            yield RoundBegin(round_, done, total)
            self.notes += [note for note in round_.notes if " edge of " in note]
            results = yield from self._round(trials, done, total)
            if self.why:
                return
            done += len(trials)
            strategy.tell(self._scores(round_, trials, results))

    def in_order(self) -> list[TrialResult]:
        """Return the latest result of each trial in the order asked, whichever ended first."""
        return sorted(self.results.values(), key=lambda result: (result.trial.proposal.number, result.trial.seed or 0))

    def ranking(self) -> list[RankedSetting]:
        """Return the settings, best first."""
        return rank(self.in_order(), is_high_better=self.spec.is_high_better)

    def stop_reason(self) -> str:
        """Return why no further trial may begin; "" when one may."""
        limits = self.spec.search
        if self.interrupt():
            return "interrupted"
        if limits.max_seconds is not None and time.monotonic() - self._started >= limits.max_seconds:
            return f"search.max_seconds={limits.max_seconds:g} are over"
        if limits.stop_after_failures is not None:
            failures = sum(Status(result.status).has_failed for result in self.results.values())
            if failures >= limits.stop_after_failures:
                return f"{noun(failures, 'trial')} failed or diverged: search.stop_after_failures"
        return ""

    def _round(self, trials: list[Trial], done: int, total: int) -> Generator[SweepEvent, None, dict[str, TrialResult]]:
        """Yield the events of one round; return the results by trial id."""
        results: dict[str, TrialResult] = {}
        missing = []
        for trial in trials:
            known = self.trials.look_up(trial)
            if known is None:
                missing.append(trial)
                continue
            results[trial.id] = known
            yield self._note(known, done + len(results), total, is_new=False)
        for trial, event in self.trials.train(missing, self.stop_reason):
            if isinstance(event, EpochEnd):
                yield TrialEpoch(trial, event)
            else:
                results[trial.id] = event
                yield self._note(event, done + len(results), total, is_new=True)
        if len(results) < len({trial.id for trial in trials}):
            self.why = self.stop_reason() or "interrupted"
        return results

    def _note(self, result: TrialResult, done: int, total: int, *, is_new: bool) -> TrialDone:
        self.results[result.trial.id] = result
        return TrialDone(result, done, total, is_new)

    def _scores(self, round_: Round, trials: list[Trial], results: dict[str, TrialResult]) -> Scores:
        """Return each proposal's score; see `_score`."""
        by_number: dict[int, list[TrialResult]] = {}
        for trial in trials:
            by_number.setdefault(trial.proposal.number, []).append(replace(results[trial.id], trial=trial))
        return [self._score(by_number[proposal.number]) for proposal in round_.proposals]

    def _score(self, of_seeds: list[TrialResult]) -> float | None:
        """Return a proposal's mean over its seeds, higher is better; None where one of them has no value."""
        (ranked,) = rank(of_seeds, is_high_better=True)
        sign = 1.0 if self.spec.is_high_better else -1.0
        return None if ranked.value is None else sign * ranked.value

    def _total(self, expected: int, done: int) -> int:
        planned = self.spec.search.total(self.spec.problem)
        return done + expected if planned is None else planned * max(1, len(self.spec.space.seeds))
