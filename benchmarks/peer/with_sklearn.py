"""Ten times five folds of scikit-learn's `MLPClassifier`, which has no batch norm: ``with_sklearn.py EPOCHS``."""

import warnings
from typing import Any

from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier

from benchmarks.peer.digits import BATCH_SIZE, LR, arrays, epochs_of_command


def main(epochs: int) -> None:
    """Cross-validate and print the mean accuracy."""
    warnings.simplefilter("ignore")
    x, y = arrays()
    settings: dict[str, Any] = {"solver": "sgd", "momentum": 0.0, "alpha": 0.0, "learning_rate_init": LR}
    settings |= {"batch_size": BATCH_SIZE, "max_iter": epochs}
    classifier = MLPClassifier((128, 128), **settings)
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=10, random_state=0)
    print(cross_val_score(classifier, x, y, cv=folds).mean())


if __name__ == "__main__":
    main(epochs_of_command())
