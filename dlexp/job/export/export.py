"""A run's model as one file: made in memory, asked for the run's own answers, and written only if it gives them."""

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from typing_extensions import TypedDict

from dlexp.config import trust
from dlexp.disk.durable import write_bytes, write_text
from dlexp.disk.regular import read_bytes
from dlexp.error import ConfigError, DlexpError, ExportFault, RunError, first_line
from dlexp.execution.save import saved_model
from dlexp.execution.save.saved_model import SavedModel
from dlexp.export import facts, onnx, pt2, weights
from dlexp.export.file import parse
from dlexp.export.graph import Prepared
from dlexp.export.pair import graph_of
from dlexp.job.export import card as cards
from dlexp.job.export.check import ALLOWED, BATCHES, choose_examples, largest_difference
from dlexp.job.export.source import Source, find_source
from dlexp.model.fitted.fitted import Fitted
from dlexp.run.folder import RunFolder
from dlexp.run.listing.exported import ExportRecord, add_export, read_exports
from dlexp.type import RECONSTRUCT, one_of

Form = Literal["pt2", "onnx", "safetensors"]
FOLDER, NAME = "export", "model"  # in the run's folder, where no other place is named


class Export(TypedDict):
    """A model that was exported.

    Attributes:
        kind: "export".
        run_id: Names the run; of a sweep its trial.
        run_dir: The run's folder.
        format: Of the file.
        path: Of the file.
        card: Path of the card beside it.
        facts: Path of the JSON beside it: how raw examples become inputs, and outputs answers.
        bytes: Of the file.
        sha256: Of the file.
        inputs: What its inputs are called, in order: one, or two of pairs.
        outputs: What its outputs are called, in order.
        examples: The examples that it was checked on are of this part.
        batches: Examples at once, each size checked.
        difference: The largest from the run's own outputs, absolute up to 1, relative beyond; of values in standard
            deviations of the training targets.
        allowed: The largest difference that is let through.
        seconds: That writing and checking took.
    """

    kind: Annotated[str, one_of("export")]
    run_id: str
    run_dir: str
    format: Annotated[str, one_of("pt2", "onnx", "safetensors")]
    path: str
    card: str
    facts: str
    bytes: int
    sha256: str
    inputs: list[str]
    outputs: list[str]
    examples: Annotated[str, one_of("val", "train")]
    batches: list[int]
    difference: float
    allowed: float
    seconds: float


def export(
    ref: str, runs_dir: Path, form: Form | None = None, out: Path | None = None, *, is_forced: bool = False
) -> Export:
    """Write a run's model as one file, with a card and its facts beside it.

    Args:
        ref: A run as users name it; a sweep is its best setting, ``SWEEP:3`` the one in third place.
        runs_dir: Folder of all runs.
        form: Of the file; None takes that which the name of `out` ends with, else pt2.
        out: The file; None is ``export/model.FORM`` in the run's folder.
        is_forced: Whether files that are there may be replaced.

    Raises:
        RunError: No such run, or it has no checkpoint.
        DataError: The data, on which the file is checked, are absent or others.
        ConfigError: The form and the name do not fit, a package is missing, or a file is there already.
        ExportFault: The network cannot be exported, or the file does not give the run's answers.
    """
    began = time.perf_counter()
    chosen = choose_form(form, out)
    if chosen == "onnx":
        onnx.require_packages(*onnx.PACKAGES)
    source = find_source(runs_dir, ref)
    if source.folder.manifest["task"] == RECONSTRUCT:
        raise RunError(
            f"{ref}: got a run of task={RECONSTRUCT}; models of classes and values are exported: `dlexp predict` gives "
            "this one's errors"
        )
    path = source.folder.path / FOLDER / f"{NAME}.{chosen}" if out is None else out
    beside = {"card": path.with_name(cards.NAME), "facts": path.with_suffix(".json")}
    if not is_forced:
        _require_absent(source.folder, path, beside)
    model = saved_model.load(source.folder)
    saved_model.require_threshold(model.about)
    if isinstance(model.module, Fitted):
        kind = type(model.module).__name__
        raise ExportFault(
            f"{ref}: got {kind}, which keeps its training part; networks are exported, predict by the run"
        )
    told = facts.facts_of(source.folder, model.about)
    examples = choose_examples(source.folder)
    graph = graph_of(model).eval()
    content = _content(chosen, model, graph, told)
    digest = hashlib.sha256(content).hexdigest()
    difference = _checked(model, content, digest, path, examples.inputs)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)
    record: ExportRecord = {
        "path": str(path.absolute()),
        "format": chosen,
        "sha256": digest,
        "card_sha256": "",
        "facts_sha256": "",
        "bytes": len(content),
        "difference": difference,
        "seconds": time.perf_counter() - began,
        "is_there": True,
    }
    _write_beside(source, told, record, beside)
    return {
        "kind": "export",
        "run_id": source.folder.run_id,
        "run_dir": str(source.folder.path),
        "format": chosen,
        "path": str(path),
        "card": str(beside["card"]),
        "facts": str(beside["facts"]),
        "bytes": len(content),
        "sha256": digest,
        "inputs": list(graph.input_names),
        "outputs": list(graph.output_names),
        "examples": examples.part,
        "batches": list(BATCHES),
        "difference": difference,
        "allowed": ALLOWED,
        "seconds": record["seconds"],
    }


def choose_form(form: Form | None, out: Path | None) -> Form:
    """Return the form of a file, from what was asked for and what the name ends with.

    Raises:
        ConfigError: They do not fit each other.
    """
    if out is None:
        return form or "pt2"
    endings = {name: name for name in get_args(Form)}
    ending: Any = endings.get(out.suffix.lower().removeprefix("."))
    if ending is None:
        raise ConfigError(f"--out: got {out.name}; names end with .{', .'.join(endings)}")
    if form not in (None, ending):
        raise ConfigError(f"--out: got {out.name} beside --format {form}; leave --format out")
    return ending


def _require_absent(folder: RunFolder, path: Path, beside: dict[str, Path]) -> None:
    """Refuse to replace a file, but a card and facts that an export of the same run wrote and nobody changed.

    Raises:
        ConfigError: There is one.
    """
    known = {entry[name] for entry in read_exports(folder) for name in ("card_sha256", "facts_sha256")}
    for place in (path, *beside.values()):
        is_there = place.exists() or place.is_symlink()
        if is_there and (place == path or _digest(place) not in known):
            raise ConfigError(
                f"--out: got {place}, which is there already; --force replaces it, --out names another place"
            )


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except OSError:
        return ""


def _content(form: Form, model: SavedModel, graph: Prepared, told: dict[str, Any]) -> bytes:
    """Return the content of the file.

    Raises:
        ExportFault: torch cannot follow the network.
    """
    if form == "safetensors":
        return weights.write(model, told)
    try:
        return {"pt2": pt2, "onnx": onnx}[form].write(graph, told, model.about["in_shape"])
    except DlexpError:
        raise
    except Exception as error:  # a user's network may do anything, and so may an exporter
        kind = type(model.module).__name__
        raise ExportFault(
            f"--format: got {form}, whose exporter cannot follow {kind} ({first_line(error)}); "
            "safetensors writes its weights"
        ) from error


def _checked(model: SavedModel, content: bytes, digest: str, path: Path, inputs: Any) -> float:
    """Return the largest difference of a file's answers from the run's.

    Raises:
        ExportFault: It is larger than allowed.
    """
    trust.accept_file(digest, path)  # what was made here in memory; nothing else has these bytes
    difference = largest_difference(model, parse(content, path)[1], inputs)
    if not difference <= ALLOWED:
        raise ExportFault(
            f"{path.name}: differs from the run's outputs by {difference:.2g}; {ALLOWED:g} is allowed, nothing was "
            "written, take another --format"
        )
    return difference


def _write_beside(source: Source, told: dict[str, Any], record: ExportRecord, beside: dict[str, Path]) -> None:
    """Write the card and the facts, and what was exported into the run's folder."""
    here = Path(record["path"]).parent
    others = [
        entry
        for entry in read_exports(source.folder)
        if entry["is_there"] and Path(entry["path"]).parent == here and entry["path"] != record["path"]
    ]
    texts = {"card": cards.Card(source, told, [*others, record]).text(), "facts": f"{facts.text_of(told)}\n"}
    for name, text in texts.items():
        write_text(beside[name], text)
    digests = {f"{name}_sha256": hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    for entry in (*others, record):
        changed: Any = {**entry, **digests}
        add_export(source.folder, changed)
