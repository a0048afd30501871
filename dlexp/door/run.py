"""A run as an object: its model, predictions, history and configuration.

Shapes: N examples, K classes.
"""

from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlexp.run.folder import RunFolder
from dlexp.type import RECONSTRUCT

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from torch import nn

    from dlexp.execution.save.saved_model import SavedModel

SHOWN = 8  # metrics in a notebook's table


def load(run: str | Path, *, runs_dir: str | Path = "runs", trust: Sequence[str] = ()) -> "Run":
    """Return a run, trial, fold, sweep or cross-validation.

    Args:
        run: Id, unique prefix, folder or `last`.
        runs_dir: Folder of all runs.
        trust: Packages whose code may run, where the run's configuration names classes of them.

    Raises:
        RunError: No such run.
    """
    from dlexp.config.trust import accept
    from dlexp.run.scan import find

    if trust:
        accept(list(trust))
    return Run(find(Path(runs_dir), str(run)))


class Run:
    """A run folder, read when it is asked for.

    Attributes:
        folder: The files.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @property
    def run_id(self) -> str:
        """Names the run."""
        return self.folder.run_id

    @property
    def kind(self) -> str:
        """Such as train, sweep, cv, trial or fold."""
        return self.folder.manifest["kind"]

    @property
    def status(self) -> str:
        """Such as finished, diverged or running."""
        return self.folder.manifest["status"]

    @property
    def result(self) -> Any:
        """The document that ``--json`` printed; None before the run's end."""
        return self.folder.result

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration."""
        return self.folder.config

    @property
    def history(self) -> "pd.DataFrame":
        """The epochs as a table, a row each, as ``metrics.jsonl`` has them."""
        import pandas as pd

        return pd.DataFrame(self.folder.history())

    @property
    def children(self) -> list["Run"]:
        """The trials of a sweep, the folds or settings of a cv."""
        return [Run(child) for child in self.folder.children()]

    @property
    def model(self) -> "nn.Module":
        """The module with the best epoch's weights, in evaluation mode, on the CPU; it takes normalised inputs.

        Raises:
            RunError: The run has no checkpoint.
        """
        return self._saved.module

    @cached_property
    def _saved(self) -> "SavedModel":
        from dlexp.execution.save import saved_model

        return saved_model.load(self.folder)

    def predict(self, x: Any) -> "np.ndarray":
        """Return the probability of each class (N, K), values (N,) in the target's unit, or errors of reconstructions.

        Args:
            x: Raw examples as the run's own: (N, D) with NaN for a missing number, (N, H, W) or (N, H, W, C) bytes or
                floats in [0, 1]; an array or a tensor on the CPU.

        Raises:
            DataError: Type, shape or values cannot be inputs.
            ConfigError: Examples of another shape than the model's.
        """
        import numpy as np

        from dlexp.data.array import as_inputs
        from dlexp.metric.probability import log_weights

        outputs = self._saved.outputs(as_inputs(np.asarray(x), "x"))
        about = self._saved.about
        if not about["class_names"]:
            return outputs.numpy()
        return log_weights(outputs, about.get("measure", {}).get("link", "softmax")).softmax(-1).numpy()

    def predictions(self, split: str = "val") -> "pd.DataFrame":
        """Return the stored predictions of a part: `id`, `target`, `prediction`, and each class's probability.

        Of reconstructions `id` and `error`.

        Args:
            split: "val", or "test" after it was opened; of a cv "val" is what the folds held out.

        Raises:
            RunError: There are none, or they are damaged.
        """
        import pandas as pd

        from dlexp.run.measure import read_measure
        from dlexp.statistic.score import probabilities

        stored = self.folder.predictions(split)
        if stored["target"].ndim > 1:
            return self._of_several(stored)
        table = {"id": stored["id"], "target": stored["target"]}
        if self.folder.manifest.get("task") == RECONSTRUCT:
            return pd.DataFrame({"id": stored["id"], "error": stored["output"]})
        if stored["output"].ndim == 1:
            return pd.DataFrame({**table, "prediction": stored["output"]})
        # pooled outputs of a cv are those of a softmax, whatever the link of its folds
        link = "softmax" if self.kind == "cv" else read_measure(self.folder).link
        p_NK, names = probabilities(stored["output"], link), self._class_names(stored["output"].shape[1])
        table = {"id": stored["id"], "target": [names[target] for target in stored["target"]]}
        table["prediction"] = [names[k] for k in p_NK.argmax(1)]
        return pd.DataFrame(table | {f"p({name})": column for name, column in zip(names, p_NK.T, strict=True)})

    def _of_several(self, stored: dict[str, Any]) -> Any:
        """Return ids, and for each of several targets truth and prediction."""
        import pandas as pd

        from dlexp.data.joint.head import of_columns
        from dlexp.run.measure import read_heads

        heads = read_heads(self.folder if self.kind != "cv" else self.folder.children()[0])
        table = {"id": stored["id"]}
        for place, (head, columns) in enumerate(zip(heads, of_columns(heads), strict=True)):
            truth_N, outputs_NK = stored["target"][:, place], stored["output"][:, columns]
            table |= _of_head(head.name, head.class_names, truth_N, outputs_NK)
        return pd.DataFrame(table)

    def _class_names(self, num_outputs: int) -> list[str]:
        from dlexp.run.measure import read_class_names

        folder = self.folder if self.kind != "cv" else self.folder.children()[0]
        names = read_class_names(folder)
        return names or [str(k) for k in range(max(2, num_outputs))]

    def __repr__(self) -> str:
        return f"<{self.kind} {self.run_id} {self.status}: {self.path}>"

    def _repr_html_(self) -> str:
        """Return the head of the report for a notebook: question, answer and cards; of a run without one a table."""
        from dlexp.error import DlexpError
        from dlexp.job.report.page import page_of_run
        from dlexp.report.html import fragment

        try:
            return fragment(page_of_run(self.folder))
        except DlexpError:
            return self._table()

    def _table(self) -> str:
        result = self.result or {}
        metrics = {name: value for name, value in (result.get("metrics") or {}).items() if isinstance(value, float)}
        first = result.get("metric")
        names = sorted(metrics, key=lambda name: (name != first, not name.startswith("val/")))[:SHOWN]
        rows = [("run", self.run_id), ("kind", self.kind), ("status", self.status)]
        rows += [(name, f"{metrics[name]:.4f}") for name in names]
        rows.append(("folder", str(self.path)))
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
        return f"<table>{cells}</table>"


def _of_head(name: str, class_names: list[str], truth_N: Any, outputs_NK: Any) -> dict[str, Any]:
    """Return the columns of one of several targets; a gap is None, or NaN among values."""
    from dlexp.statistic.score import probabilities

    if not class_names:
        return {name: truth_N, f"prediction of {name}": outputs_NK[:, 0]}
    p_NK = probabilities(outputs_NK)
    columns: dict[str, Any] = {name: [None if k != k else class_names[int(k)] for k in truth_N.tolist()]}
    columns[f"prediction of {name}"] = [class_names[k] for k in p_NK.argmax(1)]
    return columns | {f"p({name} {each})": column for each, column in zip(class_names, p_NK.T, strict=True)}
