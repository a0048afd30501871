"""Ten times five folds with skorch and scikit-learn's `cross_val_score`: ``with_skorch.py EPOCHS``."""

import importlib
from typing import Any

import torch
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from torch import nn

from benchmarks.peer.digits import BATCH_SIZE, LR, arrays, epochs_of_command, net

skorch: Any = importlib.import_module("skorch")  # of the extra `bench`


def main(epochs: int) -> None:
    """Cross-validate and print the mean accuracy."""
    torch.manual_seed(0)
    x, y = arrays()
    classifier = skorch.NeuralNetClassifier(
        net,
        criterion=nn.CrossEntropyLoss,
        max_epochs=epochs,
        lr=LR,
        batch_size=BATCH_SIZE,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=10, random_state=0)
    print(cross_val_score(classifier, x, y, cv=folds).mean())


if __name__ == "__main__":
    main(epochs_of_command())
