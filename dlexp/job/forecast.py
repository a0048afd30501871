"""`--dry-run` of a sweep: how many trials in which groups, and what they take, before anything is spent."""

from collections import Counter
from pathlib import Path
from typing import Any

from dlexp.job.inquiry import prepare
from dlexp.job.plan import plan
from dlexp.job.structure import structure_key


def forecast(overrides: list[str], config_dir: Path | None = None) -> dict[str, Any]:
    """Return counts and estimates of a sweep.

    Trials of equal structure form a group, which is stacked in one program where that proves faster; what is measured
    is an update of the first setting alone.

    Args:
        overrides: Hydra overrides, some with sweep expressions.
        config_dir: A user's folder of YAML files.

    Raises:
        ConfigError: Anything that is refused before the first trial.
        DataError: Absent or unusable data.
    """
    inquiry = prepare(overrides, config_dir)
    first = next(inquiry.rounds())
    trials = [trial for proposal in first.proposals for trial in inquiry.trials(proposal)]
    planned = getattr(inquiry.search, "trials", None) if inquiry.search.is_total_known else None
    settings = len(first.proposals) if planned is None else planned
    total = settings * max(1, len(inquiry.space.seeds))
    alone = plan(trials[0].composed)
    epochs = sum(trial.proposal.until or trial.composed.config["trainer"]["epochs"] for trial in trials)
    per_epoch = alone["seconds"] / trials[0].composed.config["trainer"]["epochs"]
    sizes = Counter(structure_key(trial.composed.config, trial.dataset) for trial in trials)
    fuse = inquiry.config["trainer"]["fuse"]
    engine = "solo" if fuse == "off" else "fused where that is faster" if fuse == "auto" else "fused"
    return {
        "kind": "sweep",
        "dry_run": True,
        "strategy": inquiry.composed.choices["search"],
        "metric": inquiry.metric,
        "settings": settings,
        "trials": total,
        "is_total": not (planned is None and inquiry.composed.choices["search"] == "hyperband"),
        "groups": [{"size": size, "engine": engine if size > 1 else "solo"} for size in sizes.values()],
        "device": alone["device"],
        "num_params": alone["num_params"],
        "memory": alone["memory"],
        "seconds": round(per_epoch * epochs * total / len(trials), 1),
    }
