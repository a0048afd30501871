"""Re-runs claims and judges them. S seeds."""

import shlex
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dlexp.claim import recipe as recipes
from dlexp.claim.recipe import Recipe
from dlexp.error import ConfigError
from dlexp.number import noun

if TYPE_CHECKING:
    from dlexp.claim.document import ClaimRecord, JudgedClaim


def describe(name: str) -> "ClaimRecord":
    """Return what a claim says and how it is judged.

    Raises:
        ConfigError: No such claim.
    """
    return _record(name, recipes.read(name))


def reproduce(
    names: Iterable[str],
    *,
    is_control: bool = False,
    seeds: int | None = None,
    folder: Path | None = None,
    figure: Path | None = None,
) -> Iterator["JudgedClaim"]:
    """Re-run claims; yield each when it is judged.

    Args:
        names: Of the claims, all of which are read before the first is run.
        is_control: Whether the swap is made under which the claim must not hold.
        seeds: Repetitions; None: the recipe's.
        folder: Where run folders stay, in a folder a claim; None: they are deleted.
        figure: Where the training curves of the only claim are drawn; None draws none.

    Raises:
        ConfigError: No such claim, or a figure of more than one or of one that trains nothing.
        DlexpError: A training failed.
    """
    chosen = {name: recipes.read(name) for name in names}
    if figure is not None:
        _require_curves(chosen)
    for name, recipe in chosen.items():
        if seeds is not None and recipe["seeds"] > 1:
            recipe = recipe.copy()
            recipe["seeds"] = seeds
        where = None if folder is None else folder / (f"{name}-control" if is_control else name)
        yield _judge(name, recipes.swapped(recipe) if is_control else recipe, is_control, where, figure)


def _require_curves(chosen: dict[str, Recipe]) -> None:
    if len(chosen) > 1:
        raise ConfigError(f"--figure: got {noun(len(chosen), 'claim')}; a figure shows one")
    for name, recipe in chosen.items():
        if "train" not in recipe:
            raise ConfigError(f"--figure: got {name}, which trains nothing; claims with commands have training curves")


def _judge(
    name: str, recipe: Recipe, is_control: bool, folder: Path | None, figure: Path | None = None
) -> "JudgedClaim":
    from dlexp.claim.judge import interval, judge

    began = time.perf_counter()
    values_S = _values(name, recipe, folder, figure)
    low, high = interval(values_S)
    claim: JudgedClaim = {
        **_record(name, recipe),
        "values": values_S,
        "mean": sum(values_S) / len(values_S),
        "interval": [low, high],
        "verdict": judge(low, high, recipe["expected"]),
        "seconds": time.perf_counter() - began,
    }
    if is_control:
        claim["control"] = recipe["control"]["because"]
    if figure is not None:
        claim["figure"] = str(figure)
    return claim


def _values(name: str, recipe: Recipe, folder: Path | None, figure: Path | None) -> list[float]:
    if "train" in recipe:
        from dlexp.claim.training import train

        trained = train(recipe["train"], recipe["seeds"], folder)
        if figure is not None:
            from dlexp.figure.claim import claim_figure
            from dlexp.figure.style.canvas import save

            shown = recipe["train"]["value"]
            save(claim_figure(name, trained.curves, ["train/loss", *([shown] if "/" in shown else [])]), figure)
        return trained.values
    assert "compute" in recipe
    module, _, function = recipe["compute"]["function"].partition(".")
    measure = getattr(import_module(f"dlexp.claim.measure.{module}"), function)
    return [float(measure(seed, **recipe["compute"]["arguments"])) for seed in range(recipe["seeds"])]


def _record(name: str, recipe: Recipe) -> "ClaimRecord":
    record: ClaimRecord = {
        "name": name,
        "source": recipe["source"],
        "claim": recipe["claim"],
        "statistic": recipe["statistic"],
        "expected": list(recipe["expected"]),
        "seeds": recipe["seeds"],
        "commands": _commands(recipe),
    }
    if "naive" in recipe:
        record["naive"] = recipe["naive"]
    return record


def _commands(recipe: Recipe) -> list[str]:
    if "train" not in recipe:
        return []
    seeds = f"seed=range(0,{recipe['seeds']})"
    common = recipe["train"]["common"]
    every = [[*common, *setting["overrides"], seeds] for setting in recipe["train"]["settings"]]
    return [shlex.join(["dlexp", "sweep", *overrides]) for overrides in every]
