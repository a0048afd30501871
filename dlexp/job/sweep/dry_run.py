"""`--dry-run` of a sweep: how many trials in which groups, and what they take, before anything is spent.

The strategy is rehearsed with scores that are all equal, which gives the number of its trials and epochs; each
structure is then measured as it would be trained (`dlexp.execution.estimate`).
"""

import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from dlexp.build.check import check_destination
from dlexp.build.node import build
from dlexp.build.probe import probe
from dlexp.build.structure import structure_key
from dlexp.execution.aside import Estimator, estimator, places
from dlexp.execution.dispatcher import WORTH_SECONDS
from dlexp.execution.estimate import Estimate, Measured, unheard
from dlexp.execution.fusion import SIZES
from dlexp.job.sweep.comparable import left_out
from dlexp.job.sweep.document import SweepPlan, TrialGroup
from dlexp.job.sweep.spec import SweepSpec, prepare
from dlexp.job.sweep.trial import Trial
from dlexp.job.sweep.validity import InvalidSetting, skipped
from dlexp.search.grid import Grid
from dlexp.search.random import Random
from dlexp.search.strategy import Proposal, Search, Settings, Strategy, signature
from dlexp.search.tpe import TPE

BUDGET = 60.0  # seconds of measuring; structures left after that count as the mean of the others
MOST_REHEARSED = 5_000  # settings; of a larger search a sample tells what all take
MOST_REHEARSED_TPE = 300  # each is drawn in a time that grows with those before it
FIGURES = 3.0  # seconds that the figures at the end take
RECORDS = 20_000  # bytes of a trial in the sweep's own result and log


@dataclass
class Share:
    """The trials of one structure.

    Attributes:
        settings: What its first setting has that others may not have.
        samples: As many trials as a stack may take, by their epochs.
        by_round: Trials of each round.
        epochs: Epochs of all of them.
        estimate: What a trial takes; None while unknown.
        num_params: Of the model.
    """

    settings: Settings
    samples: dict[int, list[Trial]] = field(default_factory=dict)
    by_round: dict[int, int] = field(default_factory=dict)
    epochs: int = 0
    estimate: Estimate | None = None
    num_params: int = 0

    @property
    def trials(self) -> int:
        """Trainings of all rounds; one that goes on in a later round counts in each."""
        return sum(self.by_round.values())


def forecast(overrides: list[str], config_dir: Path | None = None, *, tell: Measured = unheard) -> SweepPlan:
    """Return counts and estimates of a sweep.

    Args:
        overrides: Hydra overrides, some with sweep expressions.
        config_dir: A user's folder of YAML files.
        tell: Called before each measuring.

    Raises:
        ConfigError: Anything that is refused before the first trial.
        DataError: Absent or unusable data.
    """
    started = time.monotonic()
    spec = prepare(overrides, config_dir)
    preparing = time.monotonic() - started + FIGURES
    process = psutil.Process().memory_info().rss  # data, packages and all else that is there without a trial
    runs_dir = Path(spec.config["runs_dir"])
    check_destination(runs_dir)
    shares, numbers, failing = rehearse(spec)
    with estimator(spec.launcher, spec.config["trainer"]) as estimate:
        measure(shares, tell, estimate)
    seeds = max(1, len(spec.space.seeds))
    params = [share.num_params for share in shares]
    free = shutil.disk_usage(next(p for p in [runs_dir, *runs_dir.resolve().parents] if p.exists())).free
    spent, disk = _seconds(shares), _disk(shares, numbers * seeds)
    workers = _workers(spec, sum(spent.values()), numbers * seeds)
    spent = {name: value / workers for name, value in spent.items()}
    spent["preparing"] = preparing + sum(share.estimate.choosing for share in shares if share.estimate)
    return {
        "kind": "sweep",
        "dry_run": True,
        "strategy": spec.composed.choices["search"],
        "metric": spec.metric,
        "settings": numbers,
        "trials": numbers * seeds,
        "rounds": len({number for share in shares for number in share.by_round}),
        "invalid": [setting.record() for setting in [*spec.invalid, *failing]],
        "skipped": skipped([*spec.invalid, *failing]),
        "left_out": left_out(spec.space),
        "groups": [_describe(share) for share in shares],
        "device": spec.first.device_line,
        "num_params": [min(params), max(params)],
        "workers": workers,
        "memory": workers * max(share.estimate.memory for share in shares if share.estimate),
        "memory_process": workers * process,
        "memory_free": min(share.estimate.free for share in shares if share.estimate),
        "disk": disk,
        "disk_free": free,
        "seconds": round(sum(spent.values()), 1),
        "spent": {name: round(value, 1) for name, value in spent.items()},
        "measured": sum(share.estimate is not None for share in shares),
    }


def rehearse(spec: SweepSpec) -> tuple[list[Share], int, list[InvalidSetting]]:
    """Go through a strategy's rounds, or those of a smaller one, as if every setting scored the same.

    Returns:
        The trials by structure, in order of appearance, the number of settings, and those that the user's code fails.
    """
    shares: dict[str, Share] = {}
    known: dict[str, Share] = {}
    done: dict[int, int] = {}
    failing: dict[int, InvalidSetting] = {}
    seeds = max(1, len(spec.space.seeds))
    sample, scale = _sample(spec)
    strategy = Strategy(sample.rounds())
    while (round_ := strategy.ask()) is not None:
        for proposal in round_.proposals:
            reason, is_fault = spec.validity.reason(proposal.settings)
            if is_fault:
                failing[proposal.number] = InvalidSetting(proposal, round_.number, reason, is_fault)
                continue
            share = _share(spec, proposal, known, shares, is_new=proposal.number not in done)
            until = proposal.until or proposal.epochs or spec.config["trainer"]["epochs"]
            until = proposal.settings.get("trainer.epochs", until)
            share.by_round[round_.number] = share.by_round.get(round_.number, 0) + seeds
            share.epochs += (until - done.get(proposal.number, 0)) * seeds
            done[proposal.number] = until
        strategy.tell([0.0] * len(round_.proposals))
    for share in shares.values():
        share.by_round = {number: round(count * scale) for number, count in share.by_round.items()}
        share.epochs = round(share.epochs * scale)
    return list(shares.values()), round(len(done) * scale), list(failing.values())


def _sample(spec: SweepSpec) -> tuple[SweepSpec, float]:
    """Return the search to go through, a smaller one where it is large, and how many times as many settings it has."""
    total = spec.search.total(spec.problem) or getattr(spec.search, "trials", 0)
    most = MOST_REHEARSED_TPE if isinstance(spec.search, TPE) else MOST_REHEARSED
    if total <= most:
        return spec, 1.0
    if isinstance(spec.search, Grid):  # its first settings are alike
        smaller: Search = Random(trials=most, invalid=spec.search.invalid)
    else:
        smaller = build({**spec.config["search"], "trials": most})
    return replace(spec, search=smaller), total / most


def _share(
    spec: SweepSpec, proposal: Proposal, known: dict[str, Share], shares: dict[str, Share], *, is_new: bool
) -> Share:
    """Return the share of a proposal; only as many are composed as are needed to tell and to measure."""
    epochs = proposal.epochs or proposal.settings.get("trainer.epochs", spec.config["trainer"]["epochs"])
    look = signature(spec.validity.structure(proposal.settings))
    share = known.get(look)
    if share is None or (is_new and len(share.samples.get(epochs, [])) < SIZES[-1]):
        trials = spec.trials(proposal, 1)
        config = trials[0].composed.config
        key = structure_key({**config, "trainer": {**config["trainer"], "epochs": 1}}, trials[0].dataset)
        share = known[look] = shares.setdefault(key, Share(spec.validity.structure(proposal.settings)))
        for trial in trials:
            share.samples.setdefault(trial.composed.config["trainer"]["epochs"], []).append(trial)
    return share


def measure(shares: list[Share], tell: Measured, estimate: Estimator) -> None:
    """Measure each structure as long as the budget lasts, the ones with the most epochs first."""
    started = time.monotonic()
    for i, share in enumerate(sorted(shares, key=lambda share: -share.epochs)):
        sample = max(share.samples.values(), key=len)[: SIZES[-1]]
        share.num_params = probe(sample[0].composed.config, sample[0].dataset)
        if i == 0 or time.monotonic() - started < BUDGET:
            tell(i, len(shares))
            share.estimate = estimate([trial.components for trial in sample])


def _seconds(shares: list[Share]) -> dict[str, float]:
    """Return the seconds of updates, evaluations and everything else, of all trials."""
    spent = {"training": 0.0, "evaluation": 0.0, "bookkeeping": 0.0}
    whole = 0
    for share in shares:
        if share.estimate is not None:
            estimated, whole = share.estimate, whole + share.epochs
            spent["training"] += share.epochs * estimated.steps * estimated.update
            spent["evaluation"] += share.epochs * estimated.evaluation
            spent["bookkeeping"] += share.epochs * estimated.saving + share.trials * (estimated.start + estimated.end)
    scale = sum(share.epochs for share in shares) / whole
    return {name: value * scale for name, value in spent.items()}


def _workers(spec: SweepSpec, seconds: float, trials: int) -> int:
    """Return how many processes will train, as the launcher decides it."""
    where = places(spec.launcher, spec.config["trainer"])
    is_asked_for = spec.launcher.num_asked is not None or any(where)
    return min(len(where), trials) if is_asked_for or seconds >= WORTH_SECONDS else 1


def _disk(shares: list[Share], trials: int) -> int:
    """Return the bytes of all trials; one that goes on in a later round has one folder."""
    known = [share for share in shares if share.estimate is not None]
    whole = sum(share.trials for share in known)
    each = sum(share.trials * share.estimate.disk for share in known if share.estimate) / whole
    growth = sum(share.epochs * share.estimate.disk_epoch for share in known if share.estimate) / whole
    return int(trials * (each + growth + RECORDS))


def _describe(share: Share) -> TrialGroup:
    estimated = share.estimate
    group: TrialGroup = {
        "size": share.trials,
        "settings": share.settings,
        "epochs": share.epochs,
        "num_params": share.num_params,
        "engine": "not measured",
        "stack": None,
        "gain": None,
        "reason": "no time left",
    }
    if estimated is not None:
        choice = estimated.choice
        group["engine"] = "solo" if choice.engine == "solo" else "fused"
        group["stack"], group["gain"], group["reason"] = choice.size, choice.gain, choice.reason
        group["memory"], group["epoch_seconds"] = estimated.memory, round(estimated.epoch_seconds, 6)
    return group
