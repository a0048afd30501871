"""A search of learning rates with Optuna in two processes that share a journal: ``with_optuna.py EPOCHS TRIALS``."""

import multiprocessing
import sys
import tempfile
from pathlib import Path

import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from benchmarks.peer.digits import epochs_of_command
from benchmarks.peer.plain import fit

NAME, PROCESSES = "digits", 2


def search(scratch: str, epochs: int, trials: int, seed: int) -> None:
    """Run some trials of the shared study, each with its weights in a folder."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(f"{scratch}/journal"))
    study = optuna.load_study(study_name=NAME, storage=storage, sampler=optuna.samplers.RandomSampler(seed))

    def objective(trial: optuna.Trial) -> float:
        folder = Path(scratch) / str(trial.number)
        folder.mkdir()
        return fit(epochs, trial.suggest_float("lr", 1e-3, 1.0, log=True), 0, folder)

    study.optimize(objective, n_trials=trials)


def main(epochs: int, trials: int) -> None:
    """Search and print the best accuracy."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch:
        storage = JournalStorage(JournalFileBackend(f"{scratch}/journal"))
        study = optuna.create_study(study_name=NAME, storage=storage, direction="maximize")
        context = multiprocessing.get_context("spawn")
        work = [(scratch, epochs, trials // PROCESSES, seed) for seed in range(PROCESSES)]
        processes = [context.Process(target=search, args=each) for each in work]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        print(study.best_value, len(study.trials))


if __name__ == "__main__":
    main(epochs_of_command(), int(sys.argv[2]))
