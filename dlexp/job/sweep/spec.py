"""What one sweep command asks for: space, strategy, objective; checked as far as that is possible without training."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dlexp import device as devices
from dlexp.build.components import Components
from dlexp.build.dataset import JOINED, Datasets
from dlexp.build.node import build
from dlexp.build.place import check_first
from dlexp.build.program import Program
from dlexp.config.compose import Composed
from dlexp.config.space import JOB_GROUPS, Space, read_space
from dlexp.data.dataset import Dataset
from dlexp.direction import is_better_high
from dlexp.error import ConfigError
from dlexp.job.sweep.asynchronous.sifted import Sifted
from dlexp.job.sweep.comparable import common_metric, require_one_choice, require_same_examples
from dlexp.job.sweep.trial import Trial
from dlexp.job.sweep.validity import InvalidSetting, ValidityCheck, require_valid, skipped
from dlexp.launcher.launcher import Launcher
from dlexp.search import trial_id as ids
from dlexp.search.strategy import Adviser, Problem, Proposal, Rounds, Search, Settings, Strategy, opening


@dataclass
class SweepSpec:
    """What one sweep command asks for, before anything is written.

    Attributes:
        composed: The sweep's configuration under the first options.
        space: What is searched.
        search: The strategy.
        metric: The objective.
        is_high_better: Its direction.
        first: The first trial's program, which proves that the configuration works.
        code: Version of the code that numbers depend on.
        key: Equal for sweeps that ask for the same trials.
        validity: Tells which settings cannot be trained.
        threads: CPU threads of trials that choose no other, which numbers depend on; None on a GPU.
        validated_on: Equal for sweeps on the same validation examples.
        invalid: Settings that were left out, of the rounds so far.
    """

    composed: Composed
    space: Space
    search: Search
    metric: str
    is_high_better: bool
    first: Program
    code: str
    key: str
    validity: ValidityCheck
    threads: int | None
    validated_on: str
    invalid: list[InvalidSetting] = field(default_factory=list)

    @property
    def config(self) -> dict[str, Any]:
        """The sweep's configuration."""
        return self.composed.config

    @property
    def experiment(self) -> str:
        """The name of MLflow's experiment; `dlexp.run.name.experiment_folder` calls the folder in runs_dir after it."""
        return self.config["tracking"]["experiment"] or self.first.dataset.name

    @property
    def first_choices(self) -> dict[str, str]:
        """The options of the first setting for the groups that are not searched."""
        searched = {d.key for d in self.space.groups()}
        chosen = self.composed.choices.items()
        return {group: option for group, option in chosen if group not in searched and group not in JOB_GROUPS}

    @property
    def launcher(self) -> Launcher:
        """Where trials train."""
        return build(self.config["launcher"])

    @property
    def problem(self) -> Problem:
        """What the strategy is given."""
        return Problem(self.space.dimensions, self.config["trainer"]["epochs"])

    def trials(self, proposal: Proposal, round_number: int) -> list[Trial]:
        """Return the training runs of a round's proposal, one for each seed."""
        trials, launcher = [], self.launcher
        for seed in self.space.seeds or [None]:
            trainer: dict[str, Any] = {} if proposal.epochs is None else {"epochs": proposal.epochs}
            if self.search.metric != "auto":
                trainer["monitor"] = self.metric
            composed = self.space.compose(proposal.settings, seed, **trainer)
            dataset = self.validity.load(composed.config)
            settled = on_device(composed.config, launcher, self.threads)
            trial_id = ids.trial_id(settled, dataset.fingerprint, self.code)
            trials.append(Trial(trial_id, proposal, round_number, seed, composed, Components(composed.config, dataset)))
        return trials

    def adviser(self) -> Adviser | None:
        """Return what free workers ask at once; None where the search goes by rounds."""
        adviser = self.search.adviser(self.problem)
        if adviser is None:
            return None
        self.invalid.clear()
        return Sifted(adviser, self._look, self.invalid)

    @property
    def _look(self) -> Callable[[list[Proposal], int], tuple[list[Proposal], list[InvalidSetting]]]:
        """What divides proposals into those that are trained, if only to fail, and those that are left out."""
        return self.validity.partition if self.search.invalid == "skip" else self.validity.with_data

    def rounds(self) -> Rounds:
        """Return the strategy's generator; invalid settings are left out of its rounds and told to it as failed.

        With `search.invalid=refuse` the first round has none; in later ones they are trials that fail with the reason.
        """
        self.invalid.clear()
        strategy = Strategy(self.search.propose(self.problem))
        while (round_ := strategy.ask()) is not None:
            valid, invalid = self._look(round_.proposals, round_.number)
            self.invalid += invalid
            scores = yield replace(round_, proposals=valid, notes=[*round_.notes, *skipped(invalid)])
            by_number = {p.number: score for p, score in zip(valid, scores, strict=True)}
            strategy.tell([by_number.get(p.number) for p in round_.proposals])


def prepare(overrides: list[str], config_dir: Path | None = None) -> SweepSpec:
    """Check everything that can be checked before the first trial.

    Raises:
        ConfigError: The space or the configuration cannot work.
        DataError: Absent or unusable data.
    """
    space, composed = read_space(overrides, config_dir)
    config = composed.config
    if space.dimensions and config["train_on"] == JOINED:
        cure = "search on train, then dlexp train --from SWEEP --on train+val"
        raise ConfigError(f"train_on: got {JOINED}; settings are compared on the validation part: {cure}")
    search: Search = build(config["search"])
    require_one_choice(space, search)
    validity = ValidityCheck(space, Datasets())
    proposals = list(opening(search, Problem(space.dimensions, config["trainer"]["epochs"])))
    require_same_examples(space, proposals, validity.load)
    setting = _first_valid(proposals, validity, search.invalid)
    config_of_first = space.compose(setting, space.seeds[0] if space.seeds else None).config
    dataset = validity.load(config_of_first)
    metric = common_metric(space, search.metric, config["trainer"]["monitor"], dataset)
    search = build({**config["search"], "metric": metric})
    if metric != "auto":
        config_of_first["trainer"]["monitor"] = metric
    first = check_first(config_of_first, dataset)
    metric = first.run.monitor
    is_high = {"max": True, "min": False}.get(search.mode, is_better_high(metric))
    if is_high != is_better_high(metric):
        raise ConfigError(f"search.mode: got {search.mode}; {metric} is better when {'high' if not is_high else 'low'}")
    code = ids.code_version(config["trusted"])
    texts = [d.text for d in space.dimensions] + [f"seed={seed}" for seed in space.seeds]
    key = ids.sweep_key(on_device(config, build(config["launcher"])), texts, dataset.fingerprint, code)
    threads = devices.threads_of(config["trainer"], first.device)
    validated_on = _validated_on(space, setting, dataset)
    return SweepSpec(composed, space, search, metric, is_high, first, code, key, validity, threads, validated_on)


def _validated_on(space: Space, setting: Settings, dataset: Dataset) -> str:
    """Return what is equal for sweeps on the same validation examples; where the split follows the seed, all of them.

    Args:
        space: With the seeds.
        setting: Any.
        dataset: Of this setting under the first seed.
    """
    data = [space.compose(setting, seed).config["data"] for seed in space.seeds]
    if all(other == data[0] for other in data):
        return dataset.validated_on
    told = json.dumps([dataset.validated_on, data], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[: len(dataset.validated_on)]


def on_device(config: dict[str, Any], launcher: Launcher, threads: int | None = None) -> dict[str, Any]:
    """Return a configuration with what numbers depend on: the kind of device, and threads where it leaves them."""
    trainer = config["trainer"]
    kind = launcher.kind(trainer["device"])
    counted = {} if threads is None else {"threads": devices.given_threads(trainer["threads"]) or threads}
    return {**config, "trainer": {**trainer, "device": kind, **counted}}


def _first_valid(proposals: list[Proposal], validity: ValidityCheck, invalid: str) -> Settings:
    """Return the first setting that can be trained.

    Raises:
        ConfigError: Others cannot and `invalid` is "refuse", or none can.
        DataError: Absent or unusable data.
    """
    if invalid == "refuse":
        validity.load(
            validity.space.compose(proposals[0].settings).config
        )  # absent data are an error of their own kind
    valid, others = validity.partition(proposals, 1)
    return require_valid(valid, others, invalid).settings
