"""Recipes of claims: a YAML file each, in the folder `recipes`."""

import difflib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

import yaml
from annotated_types import Ge, MinLen
from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from dlexp.error import ConfigError

FOLDER = Path(__file__).parent / "recipes"
STRICT = ConfigDict(extra="forbid")


class Setting(TypedDict):
    """A network that is trained: the overrides of `dlexp train`.

    Attributes:
        name: For people.
        overrides: What differs from the other setting.
    """

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic reads it; a TypedDict has no other place for it

    name: str
    overrides: list[str]


class Training(TypedDict):
    """A statistic of trained networks: first - second, seed by seed; of one setting its value alone.

    Attributes:
        common: Overrides of every setting.
        settings: One or two.
        value: A metric such as val/accuracy, or the name of a function of `dlexp.claim.measure.trained`.
        epoch: Where a metric is taken: at the best epoch (by trainer.monitor) or the last.
    """

    __pydantic_config__ = STRICT  # type: ignore[misc]  # as above

    common: list[str]
    settings: Annotated[list[Setting], MinLen(1)]
    value: str
    epoch: Literal["best", "last"]


class Computation(TypedDict):
    """A statistic that a function of `dlexp.claim.measure` computes.

    Attributes:
        function: Module and name, such as forward.shrinkage.
        arguments: Its parameters besides the seed.
    """

    __pydantic_config__ = STRICT  # type: ignore[misc]  # as above

    function: str
    arguments: dict[str, Any]


class Control(TypedDict):
    """The swap under which the claim must not hold.

    Attributes:
        because: What is swapped, and why the claim then fails.
        train: Replaces fields of the training.
        compute: Replaces arguments of the computation.
    """

    __pydantic_config__ = STRICT  # type: ignore[misc]  # as above

    because: str
    train: NotRequired[dict[str, Any]]
    compute: NotRequired[dict[str, Any]]


class Recipe(TypedDict):
    """A claim and how it is judged.

    Attributes:
        source: Paper and figure, table or equation.
        claim: A sentence.
        statistic: What is measured, with its unit.
        expected: From, to: the range in which the statistic lies where the claim holds; .inf for none.
        seeds: Repetitions; 1 for what is not random.
        naive: How the claim is often told, and why it fails in that form.
        train: Networks that are trained, or
        compute: a function.
        control: The swap under which the claim must not hold.
    """

    __pydantic_config__ = STRICT  # type: ignore[misc]  # as above

    source: str
    claim: str
    statistic: str
    expected: tuple[float, float]
    seeds: Annotated[int, Ge(1)]
    naive: NotRequired[str]
    train: NotRequired[Training]
    compute: NotRequired[Computation]
    control: Control


def names() -> list[str]:
    """Return the names of all claims, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def read(name: str) -> Recipe:
    """Return a claim's recipe.

    Raises:
        ConfigError: No such claim, or a recipe with unknown fields or types.
    """
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {near[0]}?" if near else "`dlexp reproduce` lists them"
        raise ConfigError(f"reproduce: got {name}; {hint}")
    content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    try:
        return TypeAdapter(Recipe).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{name}.yaml: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def swapped(recipe: Recipe) -> Recipe:
    """Return the recipe of the negative control."""
    control, copy = recipe["control"], recipe.copy()
    if "train" in recipe:
        copy["train"] = recipe["train"] | control.get("train", {})  # type: ignore[typeddict-item]  # checked on reading
    if "compute" in recipe:
        arguments = recipe["compute"]["arguments"] | control.get("compute", {})
        copy["compute"] = {"function": recipe["compute"]["function"], "arguments": arguments}
    return copy
