"""The same with Lightning: a module, loaders, its checkpoints and csv log, no bar: ``with_lightning.py EPOCHS``."""

import importlib
import logging
import tempfile
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.peer.digits import BATCH_SIZE, LR, divided, epochs_of_command, net

lightning: Any = importlib.import_module("lightning")  # of the extra `bench`
pytorch: Any = importlib.import_module("lightning.pytorch")


class Net(lightning.LightningModule):
    """The net with its loss and rule."""

    def __init__(self) -> None:
        """Make net and loss."""
        super().__init__()
        self.net, self.criterion = net(), nn.CrossEntropyLoss()

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        """Return the loss of a batch."""
        loss = self.criterion(self.net(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _index: int) -> None:
        """Log loss and accuracy."""
        outputs = self.net(batch[0])
        self.log("val_loss", self.criterion(outputs, batch[1]))
        self.log("val_accuracy", (outputs.argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return plain gradient descent."""
        return torch.optim.SGD(self.parameters(), lr=LR)


def main(epochs: int) -> None:
    """Train the net and print its best accuracy."""
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    lightning.seed_everything(0, verbose=False)
    train, val = (TensorDataset(*part) for part in divided())
    with tempfile.TemporaryDirectory() as scratch:
        keep = pytorch.callbacks.ModelCheckpoint(scratch, monitor="val_accuracy", mode="max", save_last=True)
        trainer = lightning.Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[keep],
            logger=pytorch.loggers.CSVLogger(scratch),
        )
        trainer.fit(Net(), DataLoader(train, BATCH_SIZE, shuffle=True), DataLoader(val, 1024))
        print(float(keep.best_model_score or 0.0))


if __name__ == "__main__":
    main(epochs_of_command())
