"""Programs whose updates are captured."""

from benchmarks.case import Case
from benchmarks.equality import configure, divide
from dlexp.build.components import components_of
from dlexp.build.program import Program, make_program

FORMS = ("solo", "graphed", "batched", "vmapped")


def program(form: str, **overrides: str) -> Program:
    """Return the program of a small net on the device: three trials, alone one."""
    trials = [{"seed": str(seed)} for seed in range(1 if form == "solo" else 3)]
    chosen = {"model": "mlp", "model.widths": "[6]", "trainer.device": "cuda", "data.limit": "90", **overrides}
    case = Case("some", chosen, trials)
    configs = configure(case, "fp32")
    return make_program(components_of(configs, divide(case, configs)), form)


def spend_epoch(built: Program, epoch: int = 0) -> None:
    """Do the updates of an epoch."""
    built.run.epoch, built.run.position = epoch, 0
    for _ in built.run.updates():
        pass
