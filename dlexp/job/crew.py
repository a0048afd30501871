"""Has trials and folds trained: parts them by structure, chooses how each part trains, and hands programs out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from dlexp.job.execute import Assignment, Executor, Heard, Program
from dlexp.job.fuse import SOLO, Choice, choose
from dlexp.job.loaded import Datasets
from dlexp.job.structure import structure_key


@dataclass
class Crew:
    """Trains what it is given, wherever the folders are.

    Attributes:
        cache: File of measured choices; None keeps none.
        should_stop: Asked after every update: the wish to stop.
        datasets: What is loaded; whoever has loaded data already keeps them here.
        programs: Size and engine of each program that was begun.
    """

    cache: Path | None
    should_stop: Callable[[], bool]
    datasets: Datasets = field(default_factory=Datasets)
    programs: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._executor = Executor(self.datasets)
        self._threads = torch.get_num_threads()

    def train(self, assignments: list[Assignment], may_begin: Callable[[], bool] = lambda: True) -> Iterator[Heard]:
        """Train trials or folds, those of equal structure together where that is faster; yield epochs and ends.

        One that fails is recorded and the others go on.

        Args:
            assignments: What to train, in folders that no other process writes to.
            may_begin: Asked before each program; False begins no more.
        """
        for part in self._parts(assignments):
            choice = self._choose(part)
            for start in range(0, len(part), choice.size):
                if self.should_stop() or not may_begin():
                    return
                program = Program(part[start : start + choice.size], choice, self._threads)
                engine = "solo" if choice.engine == "solo" else "fused"
                self.programs.append({"size": len(program.assignments), "engine": engine})
                yield from self._executor(program, self.should_stop)

    def _parts(self, assignments: list[Assignment]) -> list[list[Assignment]]:
        """Part assignments by structure and pause, in order of first appearance."""
        parts: dict[tuple[str, int | None], list[Assignment]] = {}
        for assignment in assignments:
            key = structure_key(assignment.config, self.datasets(assignment.config))
            parts.setdefault((key, assignment.until), []).append(assignment)
        return list(parts.values())

    def _choose(self, part: list[Assignment]) -> Choice:
        """Choose how a part trains; where that fails, one by one, so that each says why."""
        configs = [assignment.config for assignment in part]
        try:
            return choose(configs, [self.datasets(config) for config in configs], self.cache)
        except Exception:
            return SOLO
