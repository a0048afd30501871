"""What a trained model says of new examples: pictures, rows of a table, arrays.

They are read as the run's own data were (`model.json`), so a picture is brought to the same size and a table's columns
may stand in any order.
"""

import csv
import importlib.util
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlexp.build.place import choose_device
from dlexp.data.array import as_inputs
from dlexp.data.bound.tree import files_within
from dlexp.data.file.column import read_columns, require_name
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.encoding import Feature, encode_columns
from dlexp.data.file.guard import require_regular
from dlexp.data.file.npy import MAGIC, read_npy
from dlexp.data.file.number import Notation
from dlexp.data.file.source import is_table
from dlexp.data.picture.decoded import HERE, decode_all, find_broken, name_all
from dlexp.data.picture.form import SUFFIXES, Format
from dlexp.data.picture.listing import list_pictures
from dlexp.data.picture.listing import say as say_left_out
from dlexp.disk.durable import write_bytes
from dlexp.error import ConfigError, DataError, RunError
from dlexp.execution.save import saved_model
from dlexp.export import file
from dlexp.export.file import Model
from dlexp.job.inference.answer import flat, say, say_several
from dlexp.job.inference.document import Asked, Predictions
from dlexp.job.inference.ensemble import Averaged, average, require_same_task, require_same_unit
from dlexp.job.inference.finite import Batch, Refuse, of_files, of_rows, of_table, outputs_of
from dlexp.job.inference.formula import inert
from dlexp.job.inference.pair import read_examples, say_pairs
from dlexp.number import noun
from dlexp.run import scan
from dlexp.type import RECONSTRUCT

TABLES = (".csv", ".parquet")


def predict(
    ref: str, runs_dir: Path, paths: list[Path], *, averaged: Averaged | None = None, device: str = "cpu"
) -> Predictions:
    """Return what ``dlexp predict --json`` prints: `predictions`, an entry an example in order.

    An entry has `id` (a picture's path, or file and row number from 0), and `class`, `probability` and
    `probabilities` by class, `value`, `error` of a reconstruction, or `class`, `similarity` and `threshold` of a pair;
    of several targets `targets`, which has these of each by its name.

    Args:
        ref: A run as users name it, or an exported file.
        runs_dir: Folder of all runs.
        paths: Files and folders.
        averaged: Whose probabilities or values are averaged; None where `ref` answers by itself.
        device: Where to compute, whatever the run was trained on.

    Raises:
        RunError: No such run, or it has no checkpoint.
        DataError: An input is absent or damaged.
        ConfigError: Inputs are of another kind or shape than the model takes.
    """
    whole, models = _models(ref, runs_dir, choose_device(device), averaged)
    outputs: list[Tensor] = []
    links: list[str] = []
    ids: list[str] = []
    read: dict[str, list[Batch]] = {}
    about: dict[str, Any] = {}
    warnings: list[str] = []
    for model in models:
        require_same_task(about, model.about)
        about = model.about
        links.append(about.get("measure", {}).get("link", "softmax"))
        # folds whose training parts had other texts encode a table in other columns
        key = json.dumps([about[name] for name in ("in_shape", "feature_names", "encoding")])
        if key not in read:
            read[key] = read_examples(_read, paths, about, warnings)
        ids = [id for batch in read[key] for id in batch.ids]
        outputs.append(torch.cat([outputs_of(model, batch) for batch in read[key]]))
    names, heads, is_error = about["class_names"], saved_model.heads_stated(about), about["task"] == RECONSTRUCT
    answer, link = outputs[0], links[0]
    if averaged is not None:
        weights = [weight for _, weight in averaged.models]
        answer, link = average(outputs, len(names), links, weights, heads), "softmax"
    if about["task"] == "pairs":
        predictions = say_pairs(ids, answer, names)
    elif heads:
        predictions = say_several(ids, answer, heads)
    else:
        predictions = say(ids, answer, names, link, is_error=is_error)
    return {
        "kind": "predict",
        **whole,
        "task": about["task"],
        "models": len(outputs),
        "warnings": list(dict.fromkeys(warnings)),
        "predictions": predictions,
    }


def _models(ref: str, runs_dir: Path, device: torch.device, averaged: Averaged | None) -> tuple[Asked, Iterator[Model]]:
    """Return who is asked, and the models of a run, an average or an exported file, each read when its turn comes."""
    if averaged is not None:
        require_same_unit([source for source, _ in averaged.models])
        together: Asked = {"run_id": averaged.run_id, "run_dir": averaged.run_dir}
        return together, (saved_model.load(source, device) for source, _ in averaged.models)
    exported = file.named(ref)
    if exported is not None:
        run_id, model = file.read(exported, device)
        return {"run_id": run_id, "run_dir": "", "file": str(exported)}, iter([model])
    folder = scan.find(runs_dir, ref)
    if folder.manifest["kind"] == "cv":
        raise RunError(f"{ref}: got a cv; average its folds' models with --ensemble, or name one of {folder.path}/*/*")
    about: Asked = {"run_id": folder.run_id, "run_dir": str(folder.path)}
    return about, iter([saved_model.load(folder, device)])


def check_out(path: Path) -> None:
    """Check, before anything is predicted, that predictions can be written to a file.

    Raises:
        ConfigError: Its ending is neither .csv nor .parquet, pyarrow is missing, or there is no such folder.
    """
    if path.suffix not in TABLES:
        raise ConfigError(f"--out: got {path}; a file ending in .csv or .parquet is needed")
    if path.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ConfigError(f"--out: got {path}; writing .parquet needs pyarrow: pip install pyarrow, or take .csv")
    if not path.parent.is_dir():
        raise ConfigError(f"--out: got {path}; there is no folder {path.parent}: make it, or name another")


def write(document: Predictions, path: Path, *, is_raw: bool = False) -> None:
    """Write predictions as a table, a column for each class's probability.

    Args:
        document: The predictions.
        path: The file; its ending says how.
        is_raw: Write a .csv's texts as they are, formulas of a spreadsheet and control characters too.

    Raises:
        ConfigError: See `check_out`.
    """
    rows = [
        {key: value for key, value in entry.items() if key != "probabilities"}
        | {f"probability {name}": p for name, p in entry.get("probabilities", {}).items()}
        for entry in map(flat, document["predictions"])
    ]
    check_out(path)
    if path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return
    text = io.StringIO()
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    csv.writer(text).writerows(lines if is_raw else [[inert(cell) for cell in line] for line in lines])
    write_bytes(path, text.getvalue().encode(errors="backslashreplace"))


def _has_parquet(folder: Path) -> bool:
    return any(file.suffix.lower() == ".parquet" for file in files_within(folder))


def _read(paths: list[Path], about: dict[str, Any], warnings: list[str]) -> list[Batch]:
    """Return the examples; pictures of several paths together. What the user should know joins the warnings."""
    batches, pictures = [], []
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        is_folder_of_parquet = path.is_dir() and len(about["in_shape"]) != 3 and _has_parquet(path)
        if (path.is_dir() and not is_folder_of_parquet) or path.suffix.lower() in SUFFIXES:
            pictures += _pictures(path, warnings)
            continue
        if is_folder_of_parquet or is_table(path):
            try:
                inputs, said, refuse = _table(path, about)
            except DataError as error:
                raise DataError(_as_of_training(str(error))) from None
            warnings += said
        else:
            inputs = _array(path, "a picture, a folder of them" if len(about["in_shape"]) == 3 else "a .csv, .parquet")
            refuse = of_rows(str(path))
        _require_shape(path, inputs, about["in_shape"])
        batches.append(Batch([f"{path}:{row}" for row in range(len(inputs))], inputs, refuse))
    if pictures:
        files, inputs = _decode(pictures, about, warnings)
        batches.append(Batch(files, inputs, of_files(files)))
    return batches


def _require_shape(path: Path, inputs: Tensor, wanted: list[int]) -> None:
    got = list(inputs.movedim(-1, 1).shape[1:])
    if got != wanted:
        raise ConfigError(f"{path}: got examples of shape {got}; the model takes {wanted}")


def _pictures(path: Path, warnings: list[str]) -> list[str]:
    if path.is_file():
        return [str(path)]
    listing = list_pictures(path)
    if not listing.files:
        raise DataError(f"{path}: no images in it")
    warnings += [f"{path}: {line}" for line in say_left_out(listing.left_out)]
    return [str(file) for file in listing.files]


def _decode(files: list[str], about: dict[str, Any], warnings: list[str]) -> tuple[list[str], Tensor]:
    if len(about["in_shape"]) != 3:
        raise ConfigError(f"inputs: got {files[0]}; the model takes vectors: give a .csv, .parquet or .npy file")
    channels, height, width = about["in_shape"]
    stored = about["encoding"] or {}
    span = None if stored.get("span") is None else tuple(stored["span"])
    # training with data.size=null took pictures as they are: others are not brought to their size either
    size = None if height != width or stored.get("size", height) is None else height
    form = Format(size, stored.get("fit", "crop"), "grey" if channels == 1 else "rgb", stored.get("depth"), span)
    if stored.get("broken") == "skip":
        bad = find_broken(HERE, files, form)
        if bad:
            warnings.append(f"{noun(len(bad), 'file')} left out: {name_all(files, bad)}")
            files = [file for i, file in enumerate(files) if i not in bad]
    decoded = decode_all(HERE, files, form, torch.zeros(len(files)), None, extent=(height, width))
    if decoded.form.span != span:
        low, high = decoded.form.span or (0, 0)
        raise DataError(
            f"inputs: got pictures of more than 8 bits (values from {low:g} to {high:g}); those of training had 8: "
            "save them in 8 bits"
        )
    warnings += decoded.notes
    return files, decoded.inputs


def _table(path: Path, about: dict[str, Any]) -> tuple[Tensor, list[str], Refuse]:
    encoding = about["encoding"] or {}
    if about["feature_names"] is None:
        raise ConfigError(f"inputs: got {path}; the model was not trained on named columns: give a .npy file")
    named = encoding.get("features") or [{"name": name, "levels": None} for name in about["feature_names"]]
    features = [Feature(**feature) for feature in named]

    def choose(names: list[str]) -> dict[str, bool]:
        for feature in features:
            require_name(str(path), names, feature.name, "a feature")
        return {feature.name: feature.levels is not None for feature in features}

    table = read_columns(path, _dialect(encoding), choose)
    encoded = encode_columns(table, features, encoding.get("missing", "refuse"), encoding.get("unseen", "warn"))
    unseen = [f"{path}: {line}, unknown to training, set no input" for line in encoded.unseen]
    return encoded.inputs, [*table.notes, *unseen], of_table(table, features)


def _as_of_training(message: str) -> str:
    """Return a message whose cure is a setting, which predicting has none of, with what can be done instead."""
    if "data." not in message:
        return message
    cure = "settings are the training's: change the file, or train anew"
    return f"{message.replace('set data.', 'train with data.')}; {cure}"


def _dialect(encoding: dict[str, Any]) -> Dialect:
    """Return how training's files were written: new ones are taken to be alike."""
    fields = encoding.get("dialect")
    if fields is None:  # models of versions before 0.2 state the delimiter alone
        return Dialect(encoding.get("delimiter", ","))
    notation = Notation(fields["decimal"], fields["thousands"])
    return Dialect(fields["delimiter"], fields["encoding"], notation, tuple(fields["gaps"]))


def _array(path: Path, others: str) -> Tensor:
    """Return the inputs of a .npy file; `others` says what else the model takes."""
    require_regular(path)
    with path.open("rb") as file:
        start = file.read(6)
        if start.startswith(b"PK"):
            raise DataError(f"{path}: several arrays; save the inputs alone with np.save")
        if start != MAGIC:
            raise DataError(f"{path}: got a file of another kind; {others} or a .npy file of np.save is needed")
        file.seek(0)
        return as_inputs(read_npy(file, path.stat().st_size, str(path)), str(path))
