"""What a training shows of itself on its way, at next to no cost: first losses, sizes of updates, dead units.

No number of the training changes: weights are read, and the batch that is looked at passes in evaluation mode, where
nothing is drawn and no statistic moves. Shapes: N batch, C units, S sampled weights.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from dlexp.build.program import Program
from dlexp.diagnose.evidence import FEW
from dlexp.diagnose.layer import RECTIFIERS, share_dead
from dlexp.engine.event import EpochEnd
from dlexp.engine.task import Batch, gather

SAMPLE = 1024  # weights of a layer, whose update is known to 1 / sqrt(2 S) = 2 %
EXAMPLES = 32


class Watch:
    """Stands in the place of a training's wish to stop, which is asked after every update, and passes it on.

    After ten updates it leaves that place.

    Attributes:
        dead: Share of units that are active for no example of a batch, by layer: as last seen with finite activations.
    """

    def __init__(self, built: Program, should_stop: Callable[[], bool]) -> None:
        """Take the place.

        Args:
            built: Of one trial, in this process from its beginning or from a checkpoint.
            should_stop: The wish.
        """
        self.dead: dict[str, float] = {}
        self._built, self._run, self._should_stop = built, built.run, should_stop
        flat = built.run.step.forward.flat
        self._names, places = [], []
        for name, start, shape in zip(flat.names, flat.offsets, flat.shapes, strict=True):
            if len(shape) > 1:
                self._names.append(name)
                places.append(start + _spread(shape.numel(), SAMPLE))
        self._sizes = [len(each) for each in places]
        self._places = torch.cat(places).to(flat.tensor.device) if places else None
        self._weights: list[Tensor] = []  # before the first update and after each
        self._losses: list[tuple[Tensor, int]] = []  # sum over an update's examples, and their number
        self._total: tuple[Tensor | float, int] = (0.0, 0)
        self._seen = -1
        self._has_looked = False
        built.run.should_stop = self

    def __call__(self) -> bool:
        """Look at the update that was made; return whether to stop."""
        if self._run.number != self._seen:
            self._look()
        return self._should_stop()

    def _look(self) -> None:
        run, is_first = self._run, self._seen < 0
        self._seen = run.number
        if self._places is not None:
            self._weights.append(run.step.forward.flat.tensor[0].index_select(0, self._places))
        if run.sums is not None:
            before, seen = (0.0, 0) if run.position == 1 else self._total
            self._total = run.sums.loss[0].clone(), run.sums.seen[0]
            if not is_first:
                self._losses.append((self._total[0] - before, self._total[1] - seen))
        if len(self._losses) >= FEW:
            run.should_stop = self._should_stop

    def end_epoch(self, event: EpochEnd) -> None:
        """Look at the units after the first epoch of this process, and after the last."""
        if not self._has_looked or event.epoch >= self._run.trainer.epochs:
            self._has_looked = True
            self._look_at_units()

    @property
    def losses(self) -> list[float]:
        """Mean loss of each of the first updates."""
        return [float(total) / max(num, 1) for total, num in self._losses]

    @property
    def steps(self) -> dict[str, list[float]]:
        """|update| / |weight| of each of the first updates, by weight, as a sample of its elements has it."""
        ratios: dict[str, list[float]] = {name: [] for name in self._names}
        for old, new in pairwise(weights.cpu().double() for weights in self._weights):
            for name, a, b in zip(self._names, old.split(self._sizes), new.split(self._sizes), strict=True):
                ratios[name].append(float((b - a).norm() / a.norm().clamp(min=1e-12)))
        return {name: values for name, values in ratios.items() if values}

    @torch.no_grad()
    def _look_at_units(self) -> None:
        task, forward, model = self._run.task, self._run.step.forward, self._built.model
        rectifiers = [(name, module) for name, module in model.named_modules() if isinstance(module, RECTIFIERS)]
        if not rectifiers:
            return
        trained, shares = task.train[0], dict[str, float | None]()
        rows = trained[_spread(len(trained), min(EXAMPLES, self._run.eval_batch_size))]
        (raw,) = next(gather(task.feed, [[Batch(None, True, rows, torch.empty(0))]]))

        def note(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
            def hook(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
                shares[name] = share_dead(output) if output.isfinite().all() else None

            return hook

        hooks = [module.register_forward_hook(note(name)) for name, module in rectifiers]
        try:
            forward.set_training(False)
            with torch.random.fork_rng([self._built.device] if self._built.device.type == "cuda" else []):
                model(task.prepare(raw.x))
        finally:
            forward.set_training(True)
            for hook in hooks:
                hook.remove()
        self.dead |= {name: share for name, share in shares.items() if share is not None}


def _spread(length: int, num: int) -> Tensor:
    """Return so many places of a length, evenly spread, or all."""
    return torch.linspace(0, length - 1, min(length, num), dtype=torch.float64).long()
