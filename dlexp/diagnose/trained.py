"""What a run left: its first updates made again in memory, its last weights, its epochs and its score."""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from scipy import special

from dlexp.build.components import Components
from dlexp.build.program import Program, make_program
from dlexp.config.resolve import resolve
from dlexp.data.fact.guess import guess
from dlexp.diagnose.document import Finding
from dlexp.diagnose.evidence import FEW, MOST_UPDATES, Evidence, layers_of, observe
from dlexp.diagnose.finding import findings_of
from dlexp.engine import checkpoint
from dlexp.error import DlexpError, RunError
from dlexp.execution.result import best_record
from dlexp.number import significant
from dlexp.run.folder import RunFolder
from dlexp.run.measure import read_measure
from dlexp.run.stored import overrides_here

MOST_FITTED = 2000  # examples of the softmax regression


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


def first_finding(components: Components, folder: RunFolder, tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Return a line for the user on why a training failed, none where no rule says; ten updates are made again.

    Args:
        components: Of the training.
        folder: Its run's.
        tell: Gets the line too.
    """
    if components.trainer.diagnose == "off":
        return []
    try:
        composed = resolve(overrides_here(folder, folder.overrides))
        evidence = observe_run(make_program([components]), composed.choices, folder, FEW)
    except DlexpError:  # overrides that only hold with a folder of YAML files that is not there any more
        return []
    findings = [finding for finding in findings_of(evidence, composed) if finding["is_finding"]]
    lines = [words(finding) for finding in findings[:1]]
    for line in lines:
        tell(line)
    return lines


def words(finding: Finding) -> str:
    """Return a finding in one line, the command that may cure it at its end."""
    where = f" ({finding['where']})" if finding["where"] else ""
    value = f"{finding['statistic']} {significant(finding['value'])}{where}; healthy: {finding['healthy']}"
    cure = f"; try {finding['override']}: {finding['command']}" if finding["override"] else ""
    return f"finding {finding['rule']}: {value}{cure}"


def _score(built: Program, folder: RunFolder) -> tuple[str, float, float, int] | None:
    """Return metric, value, that of guessing and examples of the best epoch's validation part."""
    best, data = best_record(folder.history(), folder.manifest["monitor"]), built.dataset
    for name, floor in guess(data).items():
        value = None if best is None else best.get(name)
        if value is not None:
            return name, value, floor, len(data.val)
    return None
