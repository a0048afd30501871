"""What one cv command asks for: settings, seeds and folds; checked as far as that is possible without training."""

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dlexp.build.dataset import deal_folds, deal_inner, load_data
from dlexp.build.node import build
from dlexp.build.objective import choose_monitor
from dlexp.build.place import check_first
from dlexp.build.program import Program
from dlexp.config.compose import Composed, logged_params, resolve_again
from dlexp.config.override import parse
from dlexp.config.resolve import resolve
from dlexp.config.space import JOB_GROUPS, Space, read_space
from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold
from dlexp.direction import is_better_high
from dlexp.engine.answer.choice import answer_of
from dlexp.engine.answer.several import answer_of_head
from dlexp.error import ConfigError
from dlexp.execution.origin.ancestry import check_unseen
from dlexp.job.cv.aggregate import are_single
from dlexp.job.cv.fold_run import configure
from dlexp.job.sweep.comparable import common_metric, left_out, starts_of
from dlexp.job.sweep.validity import ValidityCheck, require_valid
from dlexp.launcher.launcher import Launcher
from dlexp.search.grid import combinations
from dlexp.search.strategy import Problem, Proposal, Search, opening

COMPARED_ON = ("data", "task")  # settings are paired by example, so these are the same for all


@dataclass(frozen=True)
class Setting:
    """One setting to be cross-validated.

    Attributes:
        values: What the sweep expressions give it; empty where there are none.
        config: Checked.
        overrides: As `dlexp cv` takes them for this setting alone.
        params: Group choices and changed settings.
    """

    values: dict[str, Any]
    config: dict[str, Any]
    overrides: list[str]
    params: dict[str, Any]


@dataclass(frozen=True)
class InnerSearch:
    """The search inside each fold's training part; see `dlexp.data.fold.Nested`.

    Attributes:
        search: The strategy.
        space: What it searches.
        problem: What the strategy is given.
        validity: Tells settings that cannot be trained.
    """

    search: Search
    space: Space
    problem: Problem
    validity: ValidityCheck


@dataclass(frozen=True)
class CVSpec:
    """What one cv command asks for, before anything is written.

    Attributes:
        config: The command's, under the first setting.
        overrides: As the user wrote them.
        params: Group choices, changed settings and sweep expressions.
        settings: To be cross-validated on the same folds; one that no sweep expression varies, or several. Where an
            inner search chooses, the one that it begins with.
        seeds: That every fold is trained under.
        dataset: Whole.
        folds: All of them.
        metric: What folds are shown by and settings compared by.
        first: The first training's program, which proves that the configuration works.
        inner: The search inside each fold; None without one.
        config_dir: The user's folder of YAML files.
        left_out: A line for each fixed key that only some of the varied options have.
        warnings: A line for each run whose weights folds begin with, and that knows what they hold out.
    """

    config: dict[str, Any]
    overrides: list[str]
    params: dict[str, Any]
    settings: list[Setting]
    seeds: list[int]
    dataset: Dataset
    folds: list[Fold]
    metric: str
    first: Program
    inner: InnerSearch | None
    config_dir: Path | None
    left_out: list[str]
    warnings: list[str]

    @property
    def form(self) -> str:
        """Which kind of cv it is: "plain", "settings" or "nested"."""
        return "nested" if self.inner else "settings" if self.settings[0].values else "plain"

    @property
    def launcher(self) -> Launcher:
        """Where folds train."""
        return build(self.config["launcher"])

    @property
    def is_high_better(self) -> bool:
        """Direction of the metric."""
        return is_better_high(self.metric)

    @property
    def repeats(self) -> int:
        """Times that the examples are dealt."""
        return 1 + self.folds[-1].repeat

    @property
    def held_out(self) -> float:
        """Share n_val / n_train, the mean over folds."""
        return statistics.fmean(len(fold.val) / len(fold.train) for fold in self.folds)


def prepare(overrides: list[str], config_dir: Path | None = None) -> CVSpec:
    """Check everything that can be checked before the first fold.

    Raises:
        ConfigError: The configuration cannot work, or cannot be cross-validated.
        DataError: Absent or unusable data.
    """
    space, composed = _read(overrides, config_dir)
    config = _by_fold(composed.config, composed.references)
    is_nested = hasattr(build(config["cv"]), "inner")
    if not is_nested:
        _require_no_search(overrides, space)
    config = config if is_nested else {name: node for name, node in config.items() if name != "search"}
    _require_one_division(composed, space)
    dataset = load_data(config)
    folds = deal_folds(config, dataset)
    metric = _headline(dataset, folds, space)
    divided = dataset.with_parts(folds[0].train, folds[0].val)
    inner, number = None, None
    if is_nested:
        dealt, number = deal_inner(config, dataset, folds[0])[0], 0
        divided = dataset.with_parts(dealt.train, dealt.val)
        assert space is not None
        inner, settings = _search(space, config, divided)
        sound = settings[0]
    else:
        settings, sound = _settings(space, composed, config, divided)
    held_out = torch.cat([fold.val for fold in folds]).unique()
    begun = [line for start in starts_of(space, config) for line in check_unseen(start, dataset, held_out)]
    first = check_first(configure(sound.config, folds[0], inner=number), divided)
    if inner is not None:
        metric = _objective(inner.space, inner.search, metric, first)
    return CVSpec(
        config=config,
        overrides=overrides,
        params=_params(space, composed, is_nested),
        settings=settings,
        seeds=(space.seeds if space else []) or [config["seed"]],
        dataset=dataset,
        folds=folds,
        metric=metric,
        first=first,
        inner=inner,
        config_dir=config_dir,
        left_out=left_out(space) if space else [],
        warnings=begun,
    )


def _headline(dataset: Dataset, folds: list[Fold], space: Space | None) -> str:
    """Return what folds are shown by; of several targets, whose sum of losses weights change, that of the first."""
    is_single = are_single(folds)
    if dataset.heads and space and any(d.group == "loss" for d in space.dimensions):
        first = dataset.heads[0]
        return f"val/{first.label}/{answer_of_head(first).headline(is_single=is_single)}"
    return f"val/{answer_of(dataset).headline(is_single=is_single)}"


def _read(overrides: list[str], config_dir: Path | None) -> tuple[Space | None, Composed]:
    if not any(override.is_sweep for override in parse(overrides)):
        composed = resolve(overrides, config_dir, job="cv")
        if not hasattr(build(composed.config["cv"]), "inner"):
            return None, composed
    space, composed = read_space(overrides, config_dir, job="cv")
    for d in space.dimensions:
        if d.group in COMPARED_ON:
            cure = "run dlexp cv for each"
            raise ConfigError(f"{d.key}: got {d.text.partition('=')[2]}; settings share their examples: {cure}")
    return space, composed


def _require_one_division(composed: Composed, space: Space | None) -> None:
    """Refuse data that follow the seed under several seeds: folds are dealt once, for all of them."""
    followed = [key for key, text in composed.references.items() if key.startswith("data.") and "${seed}" in str(text)]
    if space and len(space.seeds) > 1 and followed:
        cure = "folds are dealt once for all seeds: cv.repeats=N deals them anew"
        raise ConfigError(f"{followed[0]}: got {composed.references[followed[0]]}; {cure}")


def _require_no_search(overrides: list[str], space: Space | None) -> None:
    """Refuse what only an inner search reads, and intervals, of which nobody would know how many to try."""
    key = next((o.key for o in parse(overrides) if o.key.partition(".")[0] == "search"), None)
    if key is not None:
        raise ConfigError(f"{key}: has no effect; cv=nested and `dlexp sweep` read it")
    for d in space.dimensions if space else []:
        if d.values is None:
            cure = f"list values ({d.key}=a,b), or use cv=nested or dlexp sweep"
            raise ConfigError(f"{d.key}: got {d.text.partition('=')[2]}; every setting is cross-validated: {cure}")


def _settings(
    space: Space | None, composed: Composed, config: dict[str, Any], divided: Dataset
) -> tuple[list[Setting], Setting]:
    """Return every combination of the listed values, and the first that can be trained.

    Where nothing is varied it is the one setting without values.
    """
    if space is None:
        only = Setting({}, config, composed.overrides, logged_params(composed))
        return [only], only
    combined = combinations(Problem(space.dimensions, config["trainer"]["epochs"]))
    proposals = [Proposal(number, values) for number, values in enumerate(combined)]
    first = require_valid(*ValidityCheck(space, lambda _: divided).partition(proposals, 1), cure="leave them out")
    settings = [setting(space, proposal.settings) for proposal in proposals]
    return settings, settings[first.number]


def setting(space: Space, values: dict[str, Any], epochs: int | None = None) -> Setting:
    """Return one setting of a space, with its own number of epochs where a search decides that."""
    composed = space.compose(values, None, **({} if epochs is None else {"epochs": epochs}))
    config = _by_fold(composed.config, space.base(values).references)
    return Setting(values, config, composed.overrides, logged_params(composed))


def _by_fold(config: dict[str, Any], references: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration whose ``seeds.init: ${seed}`` and the like mean the seed of each fold, as null does."""
    if not any("seed" in str(text) for text in references.values()):
        return config
    other = resolve_again({**config, "seed": config["seed"] + 1}, references)["seeds"]
    followed = [name for name, value in config["seeds"].items() if other[name] != value]
    return {**config, "seeds": {**config["seeds"], **dict.fromkeys(followed)}}


def _search(space: Space, config: dict[str, Any], divided: Dataset) -> tuple[InnerSearch, list[Setting]]:
    search: Search = build(config["search"])
    monitor = config["trainer"]["monitor"]
    if not monitor.startswith("train/"):
        cure = "the part that a fold holds out must not choose its epoch: leave train/loss"
        raise ConfigError(f"trainer.monitor: got {monitor} with cv=nested; {cure}")
    for name in ("max_seconds", "stop_after_failures"):
        if getattr(search, name) is not None:
            raise ConfigError(f"search.{name}: has no effect with cv=nested; every search goes to its end")
    if search.adviser(Problem(space.dimensions, config["trainer"]["epochs"])) is not None:
        raise ConfigError("search.asynchronous: has no effect with cv=nested; its searches advance together")
    if not space.dimensions:
        raise ConfigError("cv=nested: got nothing to search; give a sweep expression such as optimizer.lr=0.01,0.1")
    inner = InnerSearch(
        search, space, Problem(space.dimensions, config["trainer"]["epochs"]), ValidityCheck(space, lambda _: divided)
    )
    proposals = list(opening(search, inner.problem))
    if any(proposal.until is not None for proposal in proposals):
        raise ConfigError("search: got one that pauses trainings; with cv=nested choose grid, random or coarse_to_fine")
    first = require_valid(*inner.validity.partition(proposals, 1), search.invalid)
    return inner, [setting(space, first.settings, first.epochs)]


def _objective(space: Space, search: Search, default: str, first: Program) -> str:
    """Return the metric that inner searches compare settings by."""
    metric = default
    if search.metric != "auto":
        common_metric(space, search.metric, "auto", first.dataset)
        metric = choose_monitor(search.metric, first.run.step.rules.loss, first.dataset, first.run.task.metrics)
        if not metric.startswith("val/"):
            raise ConfigError(f"search.metric: got {metric}; cv=nested compares by what inner folds hold out: val/...")
    is_high = is_better_high(metric)
    if search.mode not in ("auto", "max" if is_high else "min"):
        raise ConfigError(f"search.mode: got {search.mode}; {metric} is better when {'high' if is_high else 'low'}")
    return metric


def _params(space: Space | None, composed: Composed, is_nested: bool) -> dict[str, Any]:
    """Return what all settings share, and the sweep expressions themselves."""
    idle = [group for group in JOB_GROUPS if group != "search" or not is_nested]
    shared = {name: value for name, value in logged_params(composed).items() if name not in idle}
    searched = {d.key: d.text.partition("=")[2] for d in space.dimensions} if space else {}
    seeds = {"seed": space.seeds} if space and space.seeds else {}
    return {**shared, **searched, **seeds}
