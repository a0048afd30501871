"""What a run left: its first updates made again in memory, its last weights, its epochs and its score."""

from dlexp.build.components import Components
from dlexp.build.program import Program, make_program
from dlexp.config.resolve import resolve
from dlexp.data.fact.guess import guess
from dlexp.diagnose.document import Finding
from dlexp.diagnose.evidence import FEW, MOST_UPDATES, Evidence, layers_of, observe
from dlexp.diagnose.finding import findings_of
from dlexp.engine import checkpoint
from dlexp.error import DlexpError
from dlexp.execution.result import best_record
from dlexp.number import significant
from dlexp.run.folder import RunFolder
from dlexp.run.stored import overrides_here


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


def first_finding(components: Components, folder: RunFolder) -> str:
    """Return a line for the user on why a training failed, "" where no rule says; ten updates are made again.

    Args:
        components: Of the training.
        folder: Its run's.
    """
    if components.trainer.diagnose == "off":
        return ""
    try:
        composed = resolve(overrides_here(folder, folder.overrides))
        evidence = observe_run(make_program([components]), composed.choices, folder, FEW)
    except DlexpError:  # overrides that only hold with a folder of YAML files that is not there any more
        return ""
    findings = [finding for finding in findings_of(evidence, composed) if finding["is_finding"]]
    return words(findings[0]) if findings else ""


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
