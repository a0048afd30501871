"""The audit of a cross-validation: does anything that is fitted depend on held-out rows?

Every held-out and test row is changed beyond recognition, inputs and targets; what is fitted on the training part must
not move by a bit: encodings, the normalisation and imputed values, class weights, the unit of targets, and the weights
after an epoch.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlexp.build.contract import make
from dlexp.build.dataset import deal_inner
from dlexp.build.objective import build_loss
from dlexp.build.program import assemble
from dlexp.data.dataset import Dataset, count_duplicates
from dlexp.data.fold import Fold
from dlexp.engine.answer.choice import answer_of
from dlexp.engine.answer.inputs import mean_input
from dlexp.error import ConfigError
from dlexp.job.cv.check_document import Audit, AuditedFold
from dlexp.job.cv.fold_run import configure
from dlexp.job.cv.spec import CVSpec, Setting, prepare
from dlexp.job.interrupt import Interrupt
from dlexp.normalize import Affine
from dlexp.type import RECONSTRUCT

EPOCHS = 1
_FAR = 1000.0


def audit(overrides: list[str], config_dir: Path | None = None) -> Audit:
    """Audit every fold of every setting; nothing is written.

    Of a nested cv the inner folds are audited too, with the setting that the search begins with: what an inner
    training is fitted on depends on its own part alone, so that no outer held-out row can move a choice.

    Args:
        overrides: Hydra overrides of a cv.
        config_dir: A user's folder of YAML files.

    Returns:
        `kind` "audit", `clean`, `findings` (lines for the user) and `folds`, each with `repeat`, `fold`, `inner` (None
        for an outer fold), `setting`, `num_train`, `num_val`, `in_both` (examples), `groups_in_both`, `duplicates`
        (held-out examples that the training part has byte for byte) and `changed` (fitted things that rows outside
        the training part changed).

    Raises:
        ConfigError: Options that do not fit each other or the data.
        DataError: Absent or unusable data.
    """
    with Interrupt(can_wait=False):
        spec = prepare(overrides, config_dir)
        records = [_audit_fold(spec, setting, *place) for setting in spec.settings for place in _folds(spec)]
    findings = _findings(spec, records)
    leaks = [record["in_both"] or record["changed"] or record["groups_in_both"] for record in records]
    clean = not any(leaks) and not spec.warnings  # of first weights that come from what folds hold out
    return {"kind": "audit", "clean": clean, "findings": findings, "folds": records}


def _folds(spec: CVSpec) -> Iterator[tuple[Fold, Tensor, int | None]]:
    """Yield the outer folds, each followed by its inner ones, with the rows that must play no role in them."""
    sealed = spec.dataset.dealt.test
    for fold in spec.folds:
        yield fold, sealed, None
        if spec.inner is not None:
            for number, dealt in enumerate(deal_inner(spec.config, spec.dataset, fold)):
                inner = Fold(fold.repeat, fold.fold, dealt.train, dealt.val)
                yield inner, torch.cat([sealed, fold.val]), number


def perturb(dataset: Dataset) -> Dataset:
    """Return the data with the inputs and targets of every row outside the training part changed; NaN stays NaN.

    A table's texts are changed before they become inputs, which the training part then settles anew. Drawn pairs are
    drawn anew from examples that were changed.
    """
    if dataset.origin is not None:
        return dataset.origin.of_examples(perturb(dataset.dealt))
    rows, examples = (_outside(num, inside) for num, inside in _sizes(dataset))
    moved = getattr(dataset.encode, "perturbed", None)
    if moved is not None:
        dataset = replace(dataset, **moved(rows)(dataset.train))
    inputs, targets = dataset.inputs.clone(), dataset.targets.clone()
    if inputs.dtype == torch.uint8:
        inputs[rows] = 255 - inputs[rows]
    elif dataset.is_image:
        inputs[rows] = 1 - inputs[rows]
    else:
        inputs[rows] = -inputs[rows] + _FAR
    for column, num_classes in _columns(dataset, targets):
        column[examples] = (column[examples] + 1) % num_classes if num_classes else -column[examples] + _FAR
    return replace(dataset, inputs=inputs, targets=targets, encode=None)


def _columns(dataset: Dataset, targets: Tensor) -> list[tuple[Tensor, int]]:
    """Return each target (N,), a view, with its number of classes."""
    if not dataset.heads:
        return [(targets, dataset.num_classes)]
    return [(targets[:, place], head.num_classes) for place, head in enumerate(dataset.heads)]


def _sizes(dataset: Dataset) -> list[tuple[int, Tensor]]:
    """Return of inputs, and of examples, how many there are and which stand in the training part."""
    return [(len(dataset.inputs), dataset.members(dataset.train)), (len(dataset.targets), dataset.train)]


def _outside(num: int, inside: Tensor) -> Tensor:
    is_outside = torch.ones(num, dtype=torch.bool)
    is_outside[inside] = False
    return is_outside.nonzero().flatten()


def fitted(config: dict[str, Any], dataset: Dataset) -> dict[str, list[Tensor]]:
    """Return what is fitted on the training part, by name.

    Those are the encoding of columns, the normalisation with its imputed values, the loss's class weights, the unit
    of regression targets, the mean of inputs that are reconstructed, and weights and optimiser state after an epoch.

    Args:
        config: Of one fold.
        dataset: With the fold's parts.
    """
    affine: Affine = make(config, "normalize").fit(dataset.inputs, dataset.members(dataset.train))
    loss = build_loss([config], [dataset], torch.device("cpu"))
    tensors = {
        "encoding": [torch.frombuffer(bytearray(json.dumps(dataset.encoding), "utf-8"), dtype=torch.uint8)],
        "normalize": [affine.scale, affine.shift],
        "impute": [] if affine.fill is None else [affine.fill],
        "loss": [value for value in vars(loss).values() if isinstance(value, Tensor)],
    }
    unit = answer_of(dataset).fit_unit(dataset.targets, dataset.train)
    if unit is not None:
        tensors["unit"] = [unit.mean, unit.std]
    if dataset.task == RECONSTRUCT:
        tensors["centre"] = [mean_input(dataset.inputs, dataset.train, affine)]
    return tensors | {"weights": _trained(config, dataset)}


def _trained(config: dict[str, Any], dataset: Dataset) -> list[Tensor]:
    """Return weights, buffers among them, and optimiser state after an epoch."""
    run = assemble(config, dataset).run
    run.should_stop = lambda: run.epoch >= EPOCHS
    for _ in run.events():
        pass
    return [*run.step.forward.weights(0).values(), *(value.clone() for value in run.step.state.values())]


def _audit_fold(spec: CVSpec, setting: Setting, fold: Fold, away: Tensor, inner: int | None) -> AuditedFold:
    divided = spec.dataset.with_parts(fold.train, fold.val)
    config = configure(setting.config, fold, inner=inner)
    before, after = fitted(config, divided), fitted(config, perturb(divided))
    changed = [name for name, values in before.items() if not _are_equal(values, after[name])]
    if not config["trainer"]["monitor"].startswith("train/"):
        changed.append("choice of the epoch")
    ids = [divided.input_ids(divided.members(rows)) for rows in (divided.train, divided.val)]
    ids.append(divided.dealt.input_ids(divided.dealt.members(away)))
    groups = divided.dealt.groups
    return {
        "repeat": fold.repeat,
        "fold": fold.fold,
        "inner": inner,
        "setting": setting.values,
        "num_train": len(divided.train),
        "num_val": len(divided.val),
        "in_both": len(np.intersect1d(ids[0], ids[1])) + len(np.intersect1d(ids[0] + ids[1], ids[2])),
        "groups_in_both": 0 if groups is None else len(np.intersect1d(groups[fold.train], groups[fold.val])),
        "duplicates": count_duplicates(divided)["val"],
        "changed": changed,
    }


def _are_equal(mine: list[Tensor], theirs: list[Tensor]) -> bool:
    return len(mine) == len(theirs) and all(_same(*pair) for pair in zip(mine, theirs, strict=True))


def _same(mine: Tensor, theirs: Tensor) -> bool:
    """Say whether two tensors are equal bit for bit, NaN where the other is NaN."""
    return mine.shape == theirs.shape and torch.equal(mine.nan_to_num(), theirs.nan_to_num())


def _findings(spec: CVSpec, records: list[AuditedFold]) -> list[str]:
    findings = list(spec.warnings)
    held_out = torch.cat([fold.val for fold in spec.folds])
    counts = torch.bincount(held_out, minlength=len(spec.dataset.dealt.targets))
    if counts[spec.dataset.dealt.test].any():
        raise ConfigError("cv: got folds that hold sealed test rows; deal them without data.test")
    monitor = spec.config["trainer"]["monitor"]
    if not monitor.startswith("train/"):
        findings.append(
            f"trainer.monitor={monitor}: the held-out part chooses the epoch; the scores would be optimistic"
        )
    first = spec.settings[0].values  # the folds are the same for every setting
    duplicates = sum(r["duplicates"] for r in records if r["inner"] is None and r["setting"] == first)
    if duplicates:
        findings.append(
            f"{duplicates} held-out examples stand in their training part too, byte for byte, over all folds; "
            "remove the copies, or give them one group"
        )
    return findings
