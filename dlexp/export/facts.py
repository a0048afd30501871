"""What an exported file says of itself: how raw examples become inputs, and outputs answers, as JSON inside the file.

A file may come from anybody, so what is read is held against the form before anything is made of it.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from dlexp.config.source.place import paths
from dlexp.data.joint.head import Head
from dlexp.error import ConfigError, RunError
from dlexp.run.document import Task
from dlexp.run.environment import versions
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import dumps
from dlexp.type import Config

KEY = "dlexp"  # that the text stands under in every form of a file
FORM = 1
PRIVATE = ("tracking", "launcher", "runs_dir")  # of a configuration: where it was run is nobody else's business
_Real = Annotated[float, Field(allow_inf_nan=False)]
_Size = Annotated[int, Field(ge=1, le=2**31)]
_Plain = with_config(ConfigDict(strict=True))  # 1.0 is no whole number, "1" no number


@_Plain
class Column(TypedDict):
    """A column of a table; see `dlexp.data.file.encoding.Feature`."""

    name: str
    levels: list[str] | None
    fill: NotRequired[str | None]


@_Plain
class Written(TypedDict):
    """How a table's files are written; see `dlexp.data.file.dialect.Dialect`."""

    delimiter: str
    encoding: str
    decimal: str
    thousands: str | None
    gaps: list[str]


@_Plain
class Encoding(TypedDict, total=False):
    """How files are read: a table's columns, or the size of pictures."""

    kind: str
    features: list[Column]
    missing: Literal["refuse", "impute"]
    unseen: Literal["warn", "error"]
    dialect: Written
    delimiter: str
    broken: Literal["refuse", "skip"]
    size: _Size | None
    fit: Literal["crop", "stretch", "pad"]
    color: Literal["rgb", "grey"]
    depth: Annotated[int, Field(ge=1, le=32)] | None
    span: Annotated[list[_Real], Field(min_length=2, max_length=2)] | None


@_Plain
class Fitted(TypedDict):
    """The normalisation of inputs."""

    scale: list[_Real]
    shift: list[_Real]
    fill: list[_Real] | None


@_Plain
class Unit(TypedDict):
    """The unit of values."""

    mean: _Real
    std: _Real


@_Plain
class Pairs(TypedDict):
    """What two embeddings are compared by, and the similarity above which inputs are called the same."""

    similarity: Literal["cosine", "distance"]
    threshold: _Real


@_Plain
class Units(TypedDict):
    """Those of several targets, nothing for classes; `columns` has the target of each output."""

    mean: list[_Real]
    std: list[_Real]
    columns: list[Annotated[int, Field(ge=0)]]


@_Plain
class Target(TypedDict):
    """One of several targets; see `dlexp.data.joint.head.Head`."""

    name: str
    task: Literal["multiclass", "binary", "regression"]
    class_names: list[str]
    positive: Annotated[int, Field(ge=0, le=1)]
    has_gaps: bool


@_Plain
class Constants(TypedDict, total=False):
    """Those of the metrics."""

    link: Literal["softmax", "sigmoid", "margin", "similarity"]
    beta: _Real
    delta: _Real
    positive: Annotated[int, Field(ge=0, le=1)]


@_Plain
class About(TypedDict):
    """What predicting needs; see `dlexp.execution.save.saved_model`."""

    task: Task
    in_shape: Annotated[list[_Size], Field(min_length=1, max_length=3)]
    num_outputs: _Size
    class_names: list[str]
    feature_names: list[str] | None
    encoding: Encoding | None
    normalize: Fitted
    unit: Unit | Units | None
    measure: NotRequired[Constants]
    pairs: NotRequired[Pairs]
    heads: NotRequired[Annotated[list[Target], Field(min_length=2)]]


@_Plain
class Facts(TypedDict):
    """What an exported file says of itself.

    Attributes:
        form: Of this text; 1.
        dlexp: The version that wrote it.
        run: The id of the run.
        precision: What the network computes in.
        about: What predicting needs.
        config: The run's configuration, without where it was run.
    """

    form: Literal[1]
    dlexp: str
    run: str
    precision: Literal["fp32", "fp64"]
    about: About
    config: dict[str, Any]


_FACTS = TypeAdapter(Facts)


def facts_of(folder: RunFolder, about: dict[str, Any]) -> dict[str, Any]:
    """Return what a run's exported file says of itself.

    Args:
        folder: The run's.
        about: The content of its ``model.json``.
    """
    config = folder.config
    wide = config["trainer"]["precision"] == "fp64"
    return {
        "form": FORM,
        "dlexp": versions(("dlexp",))["dlexp"] or "",
        "run": folder.run_id,
        "precision": "fp64" if wide else "fp32",
        "about": {name: value for name, value in about.items() if name in About.__annotations__},
        "config": _public(config),
    }


def text_of(facts: dict[str, Any]) -> str:
    """Return facts as they stand in a file."""
    return dumps(facts)


def read(text: str | bytes | None, where: Path) -> dict[str, Any]:
    """Return the facts that a file holds.

    Args:
        text: Under the file's key; None where it has none.
        where: The file, for the message.

    Raises:
        RunError: There are none, or they have another form.
    """
    if text is None:
        raise RunError(f"{where}: got a file without dlexp's facts; one that `dlexp export` wrote is needed")
    try:
        facts: Any = _FACTS.validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise _odd(where, f"{place}: {first['msg'].lower()}") from error
    except (ValueError, RecursionError) as error:
        raise _odd(where, "no JSON") from error
    if fault := _disagreement(facts["about"]):
        raise _odd(where, fault)
    return facts


def _odd(where: Path, fault: str) -> RunError:
    return RunError(f"{where}: got facts that cannot be ({fault}); export the run anew")


def _disagreement(about: dict[str, Any]) -> str:
    """Return which lengths do not fit each other; "" where they do."""
    num_inputs = about["in_shape"][0]
    fitted, columns = about["normalize"], (about["encoding"] or {}).get("features")
    encoded = num_inputs if columns is None else sum(1 if c["levels"] is None else len(c["levels"]) for c in columns)
    lengths = {
        "normalize": {len(values) for values in fitted.values() if values is not None} != {num_inputs},
        "in_shape": len(about["in_shape"]) == 2,
        "feature_names": about["feature_names"] is not None and len(about["feature_names"]) != num_inputs,
        "encoding.features": encoded != num_inputs,
        "pairs": ("pairs" in about) != (about["task"] == "pairs"),
        **(_of_targets(about) if "heads" in about else _of_pairs(about) if "pairs" in about else _of_one_target(about)),
    }
    return ", ".join(name for name, is_odd in lengths.items() if is_odd)


def _of_one_target(about: dict[str, Any]) -> dict[str, bool]:
    num_classes, unit = len(about["class_names"]), about["unit"]
    return {
        "num_outputs": about["num_outputs"] not in ((2, 1) if num_classes == 2 else (num_classes or 1,)),
        "class_names": num_classes == 1,
        "unit": (unit is None) == (num_classes == 0) or "columns" in (unit or {}),
    }


def _of_pairs(about: dict[str, Any]) -> dict[str, bool]:
    return {"class_names": len(about["class_names"]) != 2, "unit": about["unit"] is not None}


def _of_targets(about: dict[str, Any]) -> dict[str, bool]:
    heads, unit = [Head(**head) for head in about["heads"]], about["unit"] or {}
    columns = [place for place, head in enumerate(heads) for _ in range(head.num_outputs)]
    return {
        "heads": any((head.task == "regression") != (head.num_classes < 2) for head in heads),
        "num_outputs": about["num_outputs"] != len(columns),
        "class_names": bool(about["class_names"]),
        "unit": unit.get("columns") != columns or {len(unit["mean"]), len(unit["std"])} != {len(heads)},
    }


def _public(config: Config) -> Config:
    """Return a configuration without where it was run, and with the names alone of files."""
    shown = {
        name: dict(node) if isinstance(node, dict) else node for name, node in config.items() if name not in PRIVATE
    }
    for name in ("path", "root"):
        if isinstance(place := shown["data"].get(name), str):
            shown["data"][name] = Path(place).name
    if "model.weights" in paths(config):  # those of the file that it leads to are in this one
        shown["model"]["weights"] = None
    if "init_from" in shown:
        shown["init_from"] |= {"run": None, "skip": []}
    return shown


def require_config(facts: dict[str, Any], where: Path) -> Config:
    """Return a file's configuration, fit to be built: checked as a run folder's is.

    Raises:
        RunError: It names what may not be built, or runs code that the user never named.
    """
    from dlexp.config import trust
    from dlexp.config.check import check_stored
    from dlexp.config.resolve import resolve
    from dlexp.config.rule.moved import config_now

    here = {name: node for name, node in resolve([]).config.items() if name in PRIVATE}
    try:
        with trust.words_of(str(where)):
            config = check_stored({**here, **config_now(facts["config"])})
    except (ConfigError, TypeError, AttributeError) as error:
        raise RunError(f"{where}: {error}") from error
    trust.require(config["trusted"], str(where))
    trust.require_references(config, str(where))
    return config
