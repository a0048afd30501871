"""The commands as functions: they take the command line's overrides and return the documents of ``--json``.

Errors are those of `dlexp.error`, with the words of the command line.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlexp.job.compare.document import Comparison
    from dlexp.job.cv.document import AnyCVResult
    from dlexp.job.sweep.document import SweepResult
    from dlexp.run.document import TrainResult

Texts = Sequence[str]


def train(overrides: Texts = (), *, config_dir: str | Path | None = None, test: bool = False) -> "TrainResult":
    """Train one configuration, as `dlexp train` does, without a word.

    Args:
        overrides: Such as ``["data=wine", "optimizer.lr=0.01"]``.
        config_dir: A folder of your own YAML files.
        test: Open the sealed test part at the end, which is counted.

    Raises:
        DlexpError: See its kinds.
    """
    from dlexp.config.resolve import resolve
    from dlexp.job.train import train as job
    from dlexp.job.transfer.weights import with_weights

    composed = resolve(with_weights(_listed(overrides), _folder(config_dir)), _folder(config_dir))
    return job.start(composed, announce=lambda _: _ignore, open_test=test).result


def sweep(overrides: Texts, *, config_dir: str | Path | None = None) -> "SweepResult":
    """Search, as `dlexp sweep` does, without a word; a sweep that asks for the same trials is gone on with.

    Args:
        overrides: Some with sweep expressions, such as ``["optimizer.lr=0.01,0.1"]``.
        config_dir: A folder of your own YAML files.

    Raises:
        DlexpError: See its kinds.
    """
    from dlexp.config.source.question import with_searched
    from dlexp.job.sweep import sweep as job
    from dlexp.job.transfer.weights import with_weights

    folder = _folder(config_dir)
    texts = with_weights(_listed(overrides), folder, "sweep")
    return job.start(with_searched(texts, folder), folder, announce=lambda _: _Deaf()).outcome.result


def cv(overrides: Texts = (), *, config_dir: str | Path | None = None) -> "AnyCVResult":
    """Cross-validate, as `dlexp cv` does, without a word.

    Args:
        overrides: With sweep expressions every setting is cross-validated.
        config_dir: A folder of your own YAML files.

    Raises:
        DlexpError: See its kinds.
    """
    from dlexp.config.source.question import with_searched
    from dlexp.job.cv import cv as job
    from dlexp.job.transfer.weights import with_weights

    folder = _folder(config_dir)
    texts = with_weights(_listed(overrides), folder, "cv")
    return job.start(with_searched(texts, folder), folder, announce=lambda _: _ignore).result


def compare(runs: Texts, *, metric: str | None = None, runs_dir: str | Path = "runs") -> "Comparison":
    """Compare every two of two or more runs, sweeps or cvs, as `dlexp compare` does.

    Args:
        runs: Ids, unique prefixes, folders, `last`; ``SWEEP:3`` is a sweep's setting in third place.
        metric: With or without ``val/``; None takes accuracy or rmse.
        runs_dir: Folder of all runs.

    Raises:
        DlexpError: See its kinds.
    """
    from dlexp.job.compare.comparison import compare as job

    return job(_listed(runs), Path(runs_dir), metric)


def _listed(texts: Texts) -> list[str]:
    if isinstance(texts, str):
        from dlexp.error import ConfigError

        raise ConfigError(f"dlexp: got the text {texts!r}; a list of texts is needed: [{texts!r}]")
    return list(texts)


def _folder(config_dir: str | Path | None) -> Path | None:
    return None if config_dir is None else Path(config_dir)


def _ignore(_event: Any) -> None:
    """Take an event and keep it to oneself."""


class _Deaf:
    """Takes the events of a search and keeps them to itself."""

    def listen(self, event: Any) -> None:
        """Take one event."""

    def close(self) -> None:
        """End without a word, as it began."""
