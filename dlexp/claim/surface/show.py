"""Shows every update rule on a surface: paths, steps to the level, a figure, a film."""

import difflib
from collections.abc import Sequence
from pathlib import Path as File
from typing import TypeVar

from dlexp.claim.surface.document import PathRecord, SurfaceDocument
from dlexp.claim.surface.function import Surface, surfaces
from dlexp.claim.surface.path import RATES, Path, best, descend
from dlexp.config.catalog import list_groups
from dlexp.error import ConfigError

T = TypeVar("T")


def show(
    name: str,
    *,
    rules: Sequence[str] = (),
    lr: float | None = None,
    steps: int = 1000,
    condition: float = 20.0,
    figure: File | None = None,
    film: File | None = None,
) -> SurfaceDocument:
    """Return how far each rule comes on a surface.

    Args:
        name: Of the surface.
        rules: Options of `optimizer`; none: all.
        lr: Step size of every rule; None: of 21 rates from 1e-4 to 10 the one that arrives first, each rule its own.
        steps: After which a path is given up, >= 1.
        condition: Condition number of the quadratic, >= 1.
        figure: Where the contour figure is written.
        film: Where the animation is written.

    Raises:
        ConfigError: No such surface or rule.
    """
    surface = _choose("surface", name, surfaces(condition))
    known = {rule: rule for rule in list_groups()["optimizer"]}
    chosen = [_choose("rule", rule, known) for rule in rules] or list(known)
    rates = RATES if lr is None else (lr,)
    paths = sorted((best(descend(surface, rule, rates, steps)) for rule in chosen), key=_order)
    _draw(surface, name, paths, figure, film)
    return {
        "kind": "surface",
        "name": name,
        "formula": surface.formula,
        "source": surface.source,
        "start": list(surface.start),
        "level": surface.level,
        "most_steps": steps,
        "paths": [_record(path) for path in paths],
        "figure": None if figure is None else str(figure),
        "film": None if film is None else str(film),
    }


def _choose(what: str, name: str, known: dict[str, T]) -> T:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ConfigError(f"{what}: got {name}; allowed: {', '.join(known)}{hint}")


def _order(path: Path) -> tuple[bool, int, float]:
    return path.steps is None, path.steps or 0, float(path.values_S[-1])


def _record(path: Path) -> PathRecord:
    end, value = path.points_S2[-1].tolist(), float(path.values_S[-1])
    return {"rule": path.rule, "lr": path.lr, "steps": path.steps, "end": end, "value": value}


def _draw(surface: Surface, name: str, paths: list[Path], figure: File | None, film: File | None) -> None:
    if figure is None and film is None:
        return
    from dlexp.figure.path.contour import Field, Track, contour_figure
    from dlexp.figure.path.film import write_film
    from dlexp.figure.style.canvas import save

    field = Field(f"{name}: {surface.formula}", surface.function, surface.window, surface.minima)
    tracks = [Track(_label(path), path.points_S2.numpy(), path.steps) for path in paths]
    if figure is not None:
        save(contour_figure(field, tracks), figure)
    if film is not None:
        write_film(field, tracks, film)


def _label(path: Path) -> str:
    return f"{path.rule}, lr {path.lr:.2g}"
