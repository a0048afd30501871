"""A search without rounds: whenever a worker is free the strategy is asked, whenever a trial ended it is told."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from dlexp.engine.event import EpochEnd
from dlexp.job.sweep.asynchronous.ledger import Ledger
from dlexp.job.sweep.document import DECISIONS
from dlexp.job.sweep.loop import RoundBegin, SearchLoop, SweepEvent, TrialDone, TrialEpoch
from dlexp.job.sweep.trial import Trial, TrialResult
from dlexp.search.strategy import Adviser, Proposal, Round


@dataclass
class _Open:
    """A proposal that the strategy was not told of yet."""

    proposal: Proposal
    trials: list[Trial]
    results: dict[str, TrialResult] = field(default_factory=dict)


@dataclass
class FreeLoop(SearchLoop):
    """A running search without rounds.

    Its decisions are written down before they are acted on. Given the same command, another process asks and tells the
    strategy what is written, trains what was begun and goes on from there.

    Attributes:
        adviser: The strategy.
    """

    adviser: Adviser = field(kw_only=True)
    depends_on_timing: bool = field(default=True, init=False)
    _open: dict[str, list[_Open]] = field(default_factory=dict)  # by the trial's id
    _queue: deque[Trial] = field(default_factory=deque)
    _unsaid: list[SweepEvent] = field(default_factory=list)
    _num_ended: int = 0  # trainings: a trial that goes on ends more than once

    @cached_property
    def ledger(self) -> Ledger:
        """What was decided."""
        return Ledger(self.trials.sweep.path / DECISIONS)

    def events(self) -> Iterator[SweepEvent]:
        """Search until the strategy has had enough, a limit is met or an interrupt comes."""
        told, begun = self.ledger.replay(self.adviser)
        yield RoundBegin(Round(1, [], []), 0, self._expected())
        first = self._restore(told, begun)
        yield from self._say()
        for trial, event in self.trials.feed(first, self._next, self.stop_reason):
            if isinstance(event, EpochEnd):
                yield TrialEpoch(trial, event)
            else:
                self._end(trial, event, is_new=True)
            yield from self._say()
        yield from self._say()
        if self._open:
            self.why = self.stop_reason() or "interrupted"
        elif (reason := self.stop_reason()) and self.adviser.ask() is not None:
            self.why = reason

    def _restore(self, told: list[Round], begun: list[Round]) -> list[Trial]:
        """Look up what was decided before; return the trials that are missing.

        The strategy was told of the ends: a trial of them that is gone is trained again for the table alone.
        """
        latest = {round_.proposals[0].number: round_ for round_ in told}
        waiting = {round_.proposals[0].number for round_ in begun}
        missing = [
            trial
            for number, round_ in latest.items()
            if number not in waiting
            for trial in self._trials(round_)
            if not self._is_known(trial)
        ]
        for round_ in begun:
            self._take_up(round_)
        missing += self._queue
        self._queue.clear()
        return missing

    def _next(self) -> Trial | None:
        """Return a trial for a worker that is free; None when there is none until another ends, or none at all."""
        while not self._queue:
            if self.stop_reason() or (round_ := self.adviser.ask()) is None:
                return None
            self.ledger.begin(round_.proposals[0])
            self._take_up(round_)
        return self._queue.popleft()

    def _take_up(self, round_: Round) -> None:
        """Have the trials of a proposal trained, those that are not known."""
        opened = _Open(round_.proposals[0], self._trials(round_))
        fresh = [trial for trial in opened.trials if trial.id not in self._open]
        for trial in opened.trials:  # settings that differ in nothing that counts are one trial
            self._open.setdefault(trial.id, []).append(opened)
        self._queue += [trial for trial in fresh if not self._is_known(trial)]

    def _trials(self, round_: Round) -> list[Trial]:
        return self.spec.trials(round_.proposals[0], round_.number)

    def _is_known(self, trial: Trial) -> bool:
        """Take note of a trial that another process trained; say whether one did."""
        result = self.trials.look_up(trial)
        if result is not None:
            self._end(trial, result, is_new=False)
        return result is not None

    def _end(self, trial: Trial, result: TrialResult, *, is_new: bool) -> None:
        """Take note of a trial's end; tell the strategy when it is the last of its proposal."""
        self.results[trial.id] = result
        waiting, self._num_ended = self._open.pop(trial.id, []), self._num_ended + 1
        self._unsaid.append(TrialDone(result, self._num_ended, self._expected(), is_new))
        for opened in waiting:
            opened.results[trial.id] = result
            if len(opened.results) == len({each.id for each in opened.trials}):
                of_seeds = [replace(opened.results[each.id], trial=each) for each in opened.trials]
                score = self._score(of_seeds)
                self.ledger.end(opened.proposal, score)
                self.adviser.tell(opened.proposal, score)

    def _say(self) -> Iterator[SweepEvent]:
        said, self._unsaid = self._unsaid, []
        yield from said

    def _expected(self) -> int:
        """Return the trainings expected in all, as far as known."""
        return max(self._planned, self._num_ended + len(self._open))

    @cached_property
    def _planned(self) -> int:
        return self._total(0, 0)
