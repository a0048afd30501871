"""`--dry-run` of a cv: how many trainings in which groups, and what they take, measured as they would train."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dlexp.build.check import check_destination
from dlexp.build.components import Components
from dlexp.build.dataset import deal_inner
from dlexp.data.fold import Fold
from dlexp.execution.aside import Estimator, estimator
from dlexp.execution.description import describe_parts
from dlexp.execution.estimate import Estimate, Measured, unheard
from dlexp.execution.fusion import SIZES
from dlexp.job.cv.check_document import CVGroup, CVPlan
from dlexp.job.cv.fold_run import configure
from dlexp.job.cv.spec import CVSpec, InnerSearch, prepare, setting
from dlexp.search.strategy import Strategy

BUDGET = 60.0  # seconds of measuring; structures left after that count as the mean of the others


@dataclass(frozen=True)
class Share:
    """The trainings of one structure.

    Attributes:
        trainings: All of them.
        estimate: What one takes; None where there was no time to measure.
    """

    trainings: list[Components]
    estimate: Estimate | None

    @property
    def epochs(self) -> int:
        """Epochs of all of them."""
        return sum(training.trainer.epochs for training in self.trainings)

    def record(self) -> CVGroup:
        """Return the group as ``--json`` has it."""
        group: CVGroup = {
            "size": len(self.trainings),
            "epochs": self.epochs,
            "engine": "not measured",
            "stack": None,
            "gain": None,
            "reason": "no time left",
        }
        if self.estimate is not None:
            choice = self.estimate.choice
            group["engine"] = "solo" if choice.engine == "solo" else "fused"
            group["stack"], group["gain"], group["reason"] = choice.size, choice.gain, choice.reason
        return group


def forecast(overrides: list[str], config_dir: Path | None = None, *, tell: Measured = unheard) -> CVPlan:
    """Check what a cv command asks for and return counts and estimates.

    An inner search is rehearsed with scores that are all equal; it counts what it asks for and the winners.

    Args:
        overrides: Hydra overrides.
        config_dir: A user's folder of YAML files.
        tell: Called before each measuring.

    Raises:
        ConfigError: Anything that is refused before the first fold.
        DataError: Absent or unusable data.
    """
    spec = prepare(overrides, config_dir)
    check_destination(Path(spec.config["runs_dir"]))
    with estimator(spec.launcher, spec.config["trainer"]) as estimate:
        shares = _measure(list(_trainings(spec)), tell, estimate)
    known = [(share, share.estimate) for share in shares if share.estimate is not None]
    whole = sum(share.epochs for share, _ in known)
    seconds = sum(share.epochs * e.epoch_seconds + len(share.trainings) * (e.start + e.end) for share, e in known)
    dataset, fold = spec.dataset, spec.folds[0]
    return {
        "kind": "cv",
        "dry_run": True,
        "form": spec.form,
        "task": dataset.task,
        "device": spec.first.device_line,
        "data": describe_parts(dataset, fold.train, fold.val),
        "input_shape": list(dataset.in_shape),
        "settings": len(spec.settings) if spec.inner is None else None,
        "seeds": len(spec.seeds),
        "folds": len(spec.folds),
        "num_params": known[0][1].num_params,
        "trials": sum(len(share.trainings) for share in shares),
        "steps": round(sum(share.epochs * e.steps for share, e in known) * sum(s.epochs for s in shares) / whole),
        "groups": [share.record() for share in shares],
        "memory": max(e.memory for _, e in known),
        "seconds": round(seconds * sum(share.epochs for share in shares) / whole, 1),
    }


def _trainings(spec: CVSpec) -> Iterator[Components]:
    for fold in spec.folds:
        divided = spec.dataset.with_parts(fold.train, fold.val)
        for candidate in spec.settings:
            for seed in spec.seeds:
                yield Components(configure(candidate.config, fold, seed), divided)
        if spec.inner is not None:
            yield from _inner_trainings(spec, spec.inner, fold)


def _inner_trainings(spec: CVSpec, inner: InnerSearch, fold: Fold) -> Iterator[Components]:
    dealt = deal_inner(spec.config, spec.dataset, fold)
    divisions = [spec.dataset.with_parts(each.train, each.val) for each in dealt]
    strategy = Strategy(inner.search.propose(inner.problem))
    while (round_ := strategy.ask()) is not None:
        for proposal in round_.proposals:
            config = setting(inner.space, proposal.settings, proposal.epochs).config
            for number, divided in enumerate(divisions):
                for seed in spec.seeds:
                    yield Components(configure(config, fold, seed, inner=number), divided)
        strategy.tell([0.0] * len(round_.proposals))


def _measure(trainings: list[Components], tell: Measured, estimate: Estimator) -> list[Share]:
    """Group trainings by structure and measure each, the largest first, as long as the budget lasts."""
    structures: dict[str, list[Components]] = {}
    for training in trainings:
        structures.setdefault(training.structure, []).append(training)
    started, shares = time.monotonic(), []
    for alike in sorted(structures.values(), key=len, reverse=True):
        measured = None
        if not shares or time.monotonic() - started < BUDGET:
            tell(len(shares), len(structures))
            measured = estimate(alike[: SIZES[-1]])
        shares.append(Share(alike, measured))
    return shares
