"""A loop by hand over tensors in memory that validates and keeps last and best weights: ``plain.py EPOCHS``."""

import tempfile
from pathlib import Path

import torch
from torch import nn

from benchmarks.peer.digits import BATCH_SIZE, LR, divided, epochs_of_command, net


def fit(epochs: int, lr: float, seed: int, folder: Path | None) -> float:
    """Return the best validation accuracy.

    Args:
        epochs: To train.
        lr: Learning rate.
        seed: Of weights and order.
        folder: Where weights are kept; None keeps none.
    """
    torch.manual_seed(seed)
    (x, y), (x_val, y_val) = divided()
    model, criterion = net(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    best = 0.0
    for epoch in range(epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(BATCH_SIZE):
            optimizer.zero_grad()
            criterion(model(x[rows]), y[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            outputs = model(x_val)
        accuracy = (outputs.argmax(1) == y_val).float().mean().item()
        loss = criterion(outputs, y_val).item()
        if folder is not None:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch, "loss": loss}
            torch.save(state, folder / "last.pt")
            if accuracy > best:
                torch.save(state, folder / "best.pt")
        best = max(best, accuracy)
    return best


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(fit(epochs_of_command(), LR, 0, Path(scratch)))
