"""What is said of a training that did not learn: no better than a guess, and the first finding with its cure."""

from dlexp.build.program import Program
from dlexp.diagnose.document import Finding
from dlexp.diagnose.trained import first_finding, free_finding, words
from dlexp.diagnose.watch import Watch
from dlexp.error import first_line
from dlexp.job.train.baseline import no_better_than_guessing
from dlexp.run.document import Cause, TrainResult
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import plain
from dlexp.run.status import Status


def explain(built: Program, folder: RunFolder, result: TrainResult, watch: Watch | None) -> list[str]:
    """Return lines for the user on a training that did not learn; the finding goes into its log and its result too.

    Args:
        built: The program, trained.
        folder: Of the run.
        result: Written already; gets the finding.
        watch: What was seen on the way; None where nothing was to be looked at.
    """
    status = result["status"]
    guessing = _beside_a_guess(built, result) if Status(status).has_value else ""
    notes = [guessing] if guessing else []
    if watch is None:
        return notes
    has_failed = bool(guessing) or status == "diverged"
    try:
        finding = first_finding(built.components[0], folder) if has_failed else free_finding(watch, built, folder)
    except Exception as error:  # of a user's model, say; the training is done
        line = f"warning: the diagnosis failed ({type(error).__name__}: {first_line(error)}); the result is complete"
        folder.log(line)
        return [*notes, line]
    if finding is None:
        return notes
    folder.log(words(finding))
    result["finding"] = plain(_cause(finding))
    folder.write_result(result)
    return [*notes, words(finding)]


def _cause(finding: Finding) -> Cause:
    return {
        "rule": finding["rule"],
        "statistic": finding["statistic"],
        "value": finding["value"],
        "where": finding["where"],
        "healthy": finding["healthy"],
        "consequence": finding["consequence"],
        "override": finding["override"],
        "command": finding["command"],
    }


def _beside_a_guess(built: Program, result: TrainResult) -> str:
    """Return a line where a run cannot be told from a guess, by the corrected value where there is one."""
    metrics = dict(result["metrics"])
    if "selection" in result and "corrected" in result["selection"]:
        metrics[result["selection"]["metric"]] = result["selection"]["corrected"]
    return no_better_than_guessing(built.dataset, metrics)
