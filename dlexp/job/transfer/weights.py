"""Overrides with what `init_from` names as files, for commands that mostly name nothing."""

from pathlib import Path


def with_weights(overrides: list[str], config_dir: Path | None = None, job: str = "train") -> list[str]:
    """Return overrides in which `init_from` names files; see `dlexp.job.transfer.locate`.

    Others are returned as they are, at no cost.
    """
    if not any("init_from" in override for override in overrides):
        return overrides
    from dlexp.job.transfer.locate import locate

    return locate(overrides, config_dir, job)
