"""Nearest neighbours and the largest class against scikit-learn's, on the same folds.

Shapes: N training examples, M held-out examples.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from benchmarks.audit.row import Row, apart
from dlexp.build.components import Components
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.data.dataset import Dataset
from dlexp.engine.evaluate import predict

SECTION = "neighbour"
FOLDS: dict[str, Any] = {
    "10 folds, shuffled": StratifiedKFold(10, shuffle=True, random_state=0),
    "5 folds, in order": StratifiedKFold(5),
}
FORMS = [
    (k, metric, weights) for k in (1, 5) for metric in ("euclidean", "cosine") for weights in ("uniform", "distance")
]


def rows(*, is_quick: bool) -> Iterator[Row]:
    """Yield the rows of the section."""
    for name, folds in FOLDS.items():
        for k in (1, 3):
            yield _accuracy(name, folds, k)
    for k, metric, weights in FORMS[:: 3 if is_quick else 1]:
        words = f"k={k}, {metric}, {weights}"
        form = [f"model.metric={metric}", f"model.weights={weights}", f"model.k={k}", "model=knn"]
        voting = KNeighborsClassifier(k, metric=metric, weights=weights)
        yield _outputs(f"classes, {words}", "wine", voting, *form)
        mean = KNeighborsRegressor(k, metric=metric, weights=weights)
        yield _outputs(f"values, {words}", "diabetes", mean, *form)
    yield _outputs("largest class", "wine", DummyClassifier(strategy="prior"), "model=majority")
    yield _outputs("mean value", "diabetes", DummyRegressor(), "model=majority")


def _accuracy(name: str, folds: Any, k: int) -> Row:
    """Compare the accuracy on digits, all examples, fold by fold; it is told in the quantity."""
    words = ["model=knn", f"model.k={k}", "data=digits", "data.test_count=0"]
    config, data = _of(*words)
    x, y = data.inputs.flatten(1).numpy(), data.targets.numpy()
    ours, theirs = [], []
    for train, val in folds.split(x, y):
        outputs = _fitted(config, data, train, val)
        ours.append((outputs.argmax(1) == y[val]).mean())
        theirs.append(KNeighborsClassifier(k).fit(x[train], y[train]).score(x[val], y[val]))
    quantity = f"accuracy in each fold, KNeighborsClassifier's; mean {np.mean(ours):.4f} ({np.mean(theirs):.4f})"
    return Row(SECTION, f"digits, {name}, k={k}", quantity, apart(ours, theirs), 0.0)


def _outputs(name: str, source: str, reference: Any, *form: str) -> Row:
    """Compare probabilities, or values, in each of five folds of normalised inputs."""
    config, data = _of(*form, f"data={source}", "data.test_count=0")
    x, difference = data.inputs.double().numpy(), 0.0
    y = data.targets.numpy() if data.num_classes else data.targets.double().numpy()
    for train, val in KFold(5, shuffle=True, random_state=0).split(x):
        outputs = _fitted(config, data, train, val)
        scaler = StandardScaler().fit(x[train])
        fitted = reference.fit(scaler.transform(x[train]), y[train])
        held = scaler.transform(x[val])
        expected = fitted.predict_proba(held) if data.num_classes else fitted.predict(held)
        difference = max(difference, apart(np.exp(outputs) if data.num_classes else outputs[:, 0], expected))
    quantity = f"{'probabilities' if data.num_classes else 'values'} in five folds, {type(reference).__name__}'s"
    return Row(SECTION, name, quantity, difference)


def _of(*words: str) -> tuple[dict[str, Any], Dataset]:
    config = resolve([*words, "tracking=none", "trainer.precision=fp64", "trainer.threads=1"]).config
    return config, load_data(config)


def _fitted(config: dict[str, Any], data: Dataset, train: np.ndarray, val: np.ndarray) -> np.ndarray:
    """Return the outputs for held-out rows of what dlexp fits to the others."""
    divided = data.with_parts(torch.from_numpy(train), torch.from_numpy(val))
    run = make_program([Components(config, divided)]).run
    list(run.events())
    return predict(run.step.forward, run.task, run.task.val, run.eval_batch_size)[0].numpy()
