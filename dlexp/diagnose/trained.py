"""What a run left: its first updates made again in memory or watched, its last weights, its epochs and its score."""

import warnings
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from scipy import special

from dlexp.build.components import Components
from dlexp.build.node import build
from dlexp.build.program import Program, make_program
from dlexp.config.compose import Composed
from dlexp.config.override import Override, override_of, parse
from dlexp.config.resolve import resolve
from dlexp.config.source.folder import stored_copy
from dlexp.config.space import JOB_GROUPS
from dlexp.data.fact.guess import guess
from dlexp.data.fold import KFold
from dlexp.diagnose.document import Finding, reading
from dlexp.diagnose.evidence import FEW, MOST_UPDATES, Evidence, layers_of, observe
from dlexp.diagnose.finding import consequence, findings_of
from dlexp.diagnose.layer import Layer
from dlexp.diagnose.rule import RULES
from dlexp.diagnose.watch import Watch
from dlexp.direction import is_better_high
from dlexp.engine import checkpoint
from dlexp.engine.divergence import constant_loss
from dlexp.error import DlexpError, RunError
from dlexp.execution.description import as_divided
from dlexp.execution.result import best_record
from dlexp.run.folder import RunFolder
from dlexp.run.measure import read_measure
from dlexp.run.stored import overrides_here

MOST_FITTED = 2000  # examples of the softmax regression
FREE = tuple(rule for rule in RULES if rule.name in ("lr_large", "lr_small", "dead"))  # need no layer's statistics


def observe_run(built: Program, choices: dict[str, str], folder: RunFolder, updates: int = MOST_UPDATES) -> Evidence:
    """Return what is known of a run.

    Args:
        built: Its program, at its beginning.
        choices: The option of each group of its configuration.
        folder: Of the run.
        updates: Made again, at most.
    """
    evidence = observe(built, choices, updates)
    evidence.history = folder.history()
    evidence.score = _score(built, folder)
    if checkpoint.exists(last := folder.checkpoints / "last"):
        built.run.step.forward.load_weights(0, checkpoint.load(last, built.device)[0])
        evidence.last = layers_of(built)
    return evidence


def confidence_of(folder: RunFolder) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the probability of each predicted class of a run's validation part, and whether it is right.

    None where there are no stored predictions, or none whose probabilities are a softmax.
    """
    try:
        arrays, link = folder.predictions("val"), read_measure(folder).link
    except RunError:
        return None
    outputs_NK = arrays["output"]
    if arrays["target"].ndim > 1:
        return None
    if link != "softmax" or outputs_NK.ndim != 2 or outputs_NK.shape[1] < 2 or not np.isfinite(outputs_NK).all():
        return None
    probability_NK = special.softmax(outputs_NK.astype(np.float64), axis=1)
    return probability_NK.max(1), outputs_NK.argmax(1) == arrays["target"]


def training_of(built: Program, evidence: Evidence) -> tuple[float, float, int] | None:
    """Return training accuracy of the last epoch, that of a softmax regression, and its examples; None of values."""
    accuracy = evidence.history[-1].get("train/accuracy") if evidence.history else None
    if accuracy is None:
        return None
    from sklearn.linear_model import LogisticRegression

    data = built.dataset
    rows = data.train[torch.linspace(0, len(data.train) - 1, min(len(data.train), MOST_FITTED)).long()]
    x = built.components[0].affine.apply(data.inputs[rows], dtype=torch.float64).flatten(1).numpy()
    y = data.targets[rows].numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one that has not come to its end is the weaker rival
        return accuracy, float(LogisticRegression(max_iter=100).fit(x, y).score(x, y)), len(data.train)


def first_finding(components: Components, folder: RunFolder) -> Finding | None:
    """Return why a training failed, None where no rule says; its first ten updates are made again.

    Args:
        components: Of the training.
        folder: Its run's.
    """
    if components.trainer.diagnose == "off":
        return None
    try:
        composed = composed_of(folder)
        evidence = observe_run(make_program([components]), composed.choices, folder, FEW)
    except DlexpError:  # overrides that only hold with files that are not there any more
        return None
    return _first(findings_of(evidence, composed))


def first_lines(components: Components, path: Path) -> list[str]:
    """Return the first finding on a trial or fold in one line for the user, or none.

    Args:
        components: Of the training, of data as they were loaded.
        path: Of its folder, which says how they were divided.
    """
    folder = RunFolder(path)
    data = as_divided(folder, components.data)
    divided = components if data is components.data else Components(components.config, data)
    finding = first_finding(divided, folder)
    return [] if finding is None else [words(finding)]


def free_finding(watch: Watch, built: Program, folder: RunFolder) -> Finding | None:
    """Return what was seen on the way to be wrong with a training, None where nothing was; no update is made again.

    Args:
        watch: That saw it.
        built: The program, trained.
        folder: Of the run.
    """
    dead = [Layer.of_units(name, share) for name, share in watch.dead.items()]
    evidence = Evidence(
        built.components[0].config,
        {},
        constant_loss(built.run.task, built.run.step.rules.loss, 0),
        (1.0, 1.0),
        [],
        dead,
        watch.losses,
        watch.steps,
        folder.history(),
        _score(built, folder),
    )
    if not consequence(evidence) or all(rule.read(evidence) is None for rule in FREE):
        return None
    try:
        return _first(findings_of(evidence, composed_of(folder), rules=FREE))
    except DlexpError:  # as above
        return None


def words(finding: Finding) -> str:
    """Return a finding in one line, the command that may cure it at its end."""
    cure = f"; try {finding['override']}: {finding['command']}" if finding["override"] else ""
    return f"finding {finding['rule']}: {reading(finding)}{cure}"


def _first(findings: list[Finding]) -> Finding | None:
    return next((finding for finding in findings if finding["is_finding"]), None)


def composed_of(folder: RunFolder) -> Composed:
    """Return a run's configuration as its overrides make it, to be changed by cures; of a fold that of its cv.

    A fold of a nested cv has the setting that was chosen inside it, in a cv without a search that deals as many folds.

    Args:
        folder: Of a training, a trial or a fold.

    Raises:
        DlexpError: Its overrides do not hold any more.
    """
    given, config_dir = overrides_here(folder, folder.overrides), stored_copy(folder.path)
    if "cv" not in folder.manifest:
        return resolve(given, config_dir)
    chosen, parsed = folder.manifest["params"], parse(given)
    plain = [each for each in parsed if not each.is_sweep and each.key not in chosen and _group(each) not in JOB_GROUPS]
    if hasattr(build(folder.config["cv"]), "inner"):
        dealt = {f"cv.{each.name}" for each in fields(KFold)}
        plain = [each for each in plain if _group(each) != "cv" or each.key in dealt]
    texts = [*(each.text for each in plain), *(override_of(key, value) for key, value in chosen.items())]
    return resolve(texts, config_dir, "cv")


def _group(override: Override) -> str:
    return override.key.partition(".")[0]


def _score(built: Program, folder: RunFolder) -> tuple[str, float, float, int] | None:
    """Return metric, value, that of guessing and examples of the best epoch's validation part."""
    metric, data = built.run.monitor, built.dataset
    mode, least = "max" if is_better_high(metric) else "min", built.run.trainer.min_delta
    monitor = {"metric": metric, "mode": mode, "min_delta": least}  # of which a fold's manifest says nothing
    best = best_record(folder.history(), monitor)
    for name, floor in guess(data).items():
        value = None if best is None else best.get(name)
        if value is not None:
            return name, value, floor, len(data.val)
    return None
