"""Whether the parts of the data suffice for a training run."""

from dlexp.data.dataset import Dataset
from dlexp.engine.trainer import Trainer
from dlexp.error import ConfigError
from dlexp.job.component import JOINED


def check_parts(datasets: list[Dataset], trainer: Trainer, train_on: str = "train") -> list[str]:
    """Check the number of training and validation examples against what a run asks for.

    Args:
        datasets: Of the trials of one program.
        trainer: Its settings.
        train_on: ``train+val`` where the validation part has joined the training part.

    Returns:
        What is done otherwise than the settings say, a line each: a batch as large as the training part, where the
        default is larger.

    Raises:
        ConfigError: Too few examples, or the wrong kind of targets.
    """
    if train_on != JOINED and not all(len(dataset.val) for dataset in datasets):
        raise ConfigError("data.val_fraction: got no validation examples; a run needs some to choose its best epoch")
    smallest = min(len(dataset.train) for dataset in datasets)
    is_fitted = trainer.batch_size > smallest
    if is_fitted and trainer.batch_size != Trainer().batch_size:
        raise ConfigError(f"trainer.batch_size: got {trainer.batch_size}; the training part has {smallest} examples")
    if trainer.oversample and not datasets[0].num_classes:
        raise ConfigError("trainer.oversample: got true; the data have values, only classes can be drawn equally often")
    if is_fitted:
        return [
            f"the training part has {smallest} examples: a batch is all of them (trainer.batch_size makes it smaller)"
        ]
    return []
