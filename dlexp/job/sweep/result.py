"""The result of a sweep: its trials, the winner and what it is worth, as ``--json`` prints them."""

from typing import Any

import torch

from dlexp.job.sweep.importance import weigh
from dlexp.job.sweep.leaderboard import Standing, command, edges
from dlexp.job.sweep.loop import Searching
from dlexp.job.sweep.selection_bias import worth
from dlexp.job.sweep.spec import Inquiry
from dlexp.run.folder import RunFolder


def summarize(
    inquiry: Inquiry, folder: RunFolder, searching: Searching, standings: list[Standing], seconds: float
) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    best = standings[0] if standings and standings[0].value is not None else None
    status = "interrupted" if searching.why == "interrupted" else "stopped_early" if searching.why else "finished"
    result: dict[str, Any] = {
        "kind": "sweep",
        "run_id": folder.run_id,
        "run_dir": str(folder.path),
        "status": "failed" if best is None and status != "interrupted" else status,
        "strategy": inquiry.composed.choices["search"],
        "metric": inquiry.metric,
        "mode": "max" if inquiry.is_high_better else "min",
        "trials": _trials(inquiry, searching),
        "best": None,
        "metrics": {},
        "importances": {},
        "groups": searching.trials.programs,
        "moves": searching.notes,
        "seconds": round(seconds, 3),
    }
    if best is not None:
        winner = best.entries[0]  # of several seeds the first: the best of them would be luck
        result["best"] = {
            **winner.record(),
            "overrides": best.settings,
            "value": best.value,
            "std": best.std,
            "seeds": len(best.entries),
            "ties": sum(standing.is_tied for standing in standings),
            "edges": edges(best, inquiry.space.dimensions, standings),
            "command": command(best),
            **worth(standings, inquiry.metric),
        }
        result["metrics"] = _summary(standings)
        weighed = weigh(standings, inquiry.space.dimensions, is_high_better=inquiry.is_high_better)
        result |= {"importances": weighed.shares, "importances_note": weighed.note}
    return result


def _summary(standings: list[Standing]) -> dict[str, float]:
    """Return best, mean, standard deviation and count over the settings, as MLflow's parent run shows them."""
    values = torch.tensor([s.value for s in standings if s.value is not None], dtype=torch.float64)
    best = float(values[0])
    spread = float(values.std()) if len(values) > 1 else 0.0
    return {"sweep/best": best, "sweep/mean": float(values.mean()), "sweep/std": spread, "sweep/count": len(values)}


def _trials(inquiry: Inquiry, searching: Searching) -> list[dict[str, Any]]:
    """Return the records of all trials in the order asked, those that could not be trained among them."""
    records = [entry.record() for entry in searching.in_order()] + [one.record() for one in inquiry.invalid]
    return sorted(records, key=lambda record: record["number"])
