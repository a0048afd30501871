"""What `dlexp cv` prints: what is validated, each fold as it ends, the result, and what a cv would take."""

from typing import TYPE_CHECKING

from rich.console import Console

from dlexp.config.wording import setting_text
from dlexp.number import decimal, duration, noun
from dlexp.run.status import Status

from ..output import show_notes
from ..text import escape, short_path
from .cv_table import audit_table, show_result, show_settings
from .data import show_classes

if TYPE_CHECKING:
    from dlexp.console.fold_board import FoldBoard
    from dlexp.data.dataset import Dataset
    from dlexp.job.cv.check_document import Audit, CVPlan
    from dlexp.job.cv.cv import Announcement, CVEvent, Listener
    from dlexp.job.cv.document import AnyCVResult
    from dlexp.job.cv.fold_run import FoldResult, FoldRun
    from dlexp.job.cv.nested import InnerChoice
    from dlexp.job.cv.spec import CVSpec
    from dlexp.job.outcome import Outcome

INNER_LINES = 50  # inner trainings between two lines about them, off a terminal


class Announcer:
    """Shows a cv that is about to begin, then each of its trainings; `close` leaves the terminal as it was."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.board: FoldBoard | None = None

    def __call__(self, about: "Announcement") -> "Listener":
        """Show what is known beforehand; return what shows the progress."""
        from dlexp.console.fold_board import FoldBoard

        spec = self.spec = about.spec
        _introduce(self.console, about)
        total = len(spec.folds) * len(spec.seeds) * len(spec.settings)
        epochs = spec.config["trainer"]["epochs"]
        self.board = FoldBoard(self.console, spec.metric, epochs, total, has_inner=spec.inner is not None)
        return self.listen

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self.board is not None:
            self.board.close()

    def listen(self, event: "CVEvent") -> None:
        """Pass an epoch or the end of a training to the board; print the lines of folds and of choices."""
        from dlexp.job.cv.fold_run import FoldEpoch
        from dlexp.job.cv.nested import InnerChoice

        spec, board = self.spec, self.board
        assert board is not None
        if isinstance(event, InnerChoice):
            board.print(_chosen_line(event))
            return
        fold_run, name = event.fold_run, _place(spec, event.fold_run)
        if isinstance(event, FoldEpoch):
            board.epoch(name, event.metrics.get(spec.metric, float("nan")))
            return
        is_inner = fold_run.inner is not None
        board.end(name, event.record["metrics"].get(spec.metric), is_new=event.is_new, is_inner=is_inner)
        if not is_inner:
            board.print(_fold_line(spec, event))
        elif not self.console.is_terminal and board.inner_done % INNER_LINES == 0:
            board.print(f"{board.inner_done} inner trainings")


def _introduce(console: Console, about: "Announcement") -> None:
    spec = about.spec
    console.print(data_line(spec.dataset, len(spec.folds)))
    show_classes(spec.dataset, console)
    if len(spec.seeds) > 1:
        console.print(f"seeds   {', '.join(map(str, spec.seeds))}: each fold under every one")
    if spec.inner is not None:
        for d in spec.inner.space.dimensions:
            console.print(f"search  {escape(d.text)}, inside each fold, best {spec.metric}")
    elif len(spec.settings) > 1:
        console.print(f"cv of   {noun(len(spec.settings), 'setting')} on the same folds")
    for text in spec.left_out:
        console.print(f"fixed   {escape(text)}")
    console.print(f"device  {about.folder.manifest['device']}")
    for warning in about.warnings:
        console.print(f"[yellow]warning[/] {escape(warning)}")
    console.print(f"cv      {escape(short_path(about.folder.path))}", soft_wrap=True)


def data_line(data: "Dataset", num_folds: int) -> str:
    """Return how many examples the folds are dealt from; each by itself may have few of them, as rolling folds do."""
    tests = f", {len(data.test):,} sealed for test" if len(data.test) else ""
    dealt = noun(len(data.dealt.train) + len(data.dealt.val), "example")
    return f"data    {escape(data.name)} ({data.task}): {dealt} in {noun(num_folds, 'fold')}{tests}"


def _place(spec: "CVSpec", fold_run: "FoldRun") -> str:
    """Return what tells a training from the others, counted from 1."""
    varying = {} if spec.form == "plain" else dict(fold_run.params)
    if len(spec.seeds) > 1:
        varying["seed"] = fold_run.seed
    setting = f"{setting_text(varying)}  " if varying else ""
    repeat = f"repeat {fold_run.fold.repeat + 1} " if spec.repeats > 1 else ""
    inner = "" if fold_run.inner is None else f" inner {fold_run.inner + 1}"
    return f"{setting}{repeat}fold {fold_run.fold.fold + 1}{inner}"


def _fold_line(spec: "CVSpec", end: "FoldResult") -> str:
    value = end.record["metrics"].get(spec.metric)
    shown = "" if value is None else f"  {spec.metric} {decimal(value)}"
    earlier = "" if end.is_new else "  done before"
    place = escape(_place(spec, end.fold_run))
    return f"{place}  {end.record['status']}{shown}  {duration(end.seconds)}{earlier}"


def _chosen_line(chosen: "InnerChoice") -> str:
    place = f"repeat {chosen.fold.repeat + 1} fold {chosen.fold.fold + 1}"
    if chosen.setting is None or chosen.value is None:
        return f"[yellow]{place}: no setting could be scored[/]"
    setting = escape(setting_text(chosen.setting.values))
    return f"{place} chose {setting} of {len(chosen.tried)}: {decimal(chosen.value)} inside"


def show(outcome: "Outcome[AnyCVResult]", console: Console) -> None:
    """Print how a cv ended, its metrics or its settings, and its folder."""
    result = outcome.result
    if "settings" in result:
        done = noun(sum(entry["complete"] for entry in result["settings"]), "setting")
    else:
        done = noun(sum(Status(fold["status"]).has_value for fold in result["folds"]), "fold")
    console.print(f"[bold]{result['status']}[/] after {done}, {duration(result['seconds'])} of training")
    if "settings" in result:
        show_settings(result, console)
    elif result["complete"]:
        show_result(result, console)
    show_notes(outcome.notes, console)
    console.print(f"cv folder  {escape(short_path(result['run_dir']))}", soft_wrap=True)


def show_dry_run(plan: "CVPlan", console: Console) -> None:
    """Print what a cv would take."""
    data = plan["data"]
    console.print(
        f"data     {escape(data['name'])} ({plan['task']}): {data['num_train']:,} train, {data['num_val']:,} held out"
    )
    console.print(f"model    {noun(plan['num_params'], 'parameter')}, {plan['input_shape']}")
    console.print(f"device   {plan['device']}")
    settings = "" if plan["settings"] in (None, 1) else f"{noun(plan['settings'], 'setting')} x "
    seeds = "" if plan["seeds"] == 1 else f"{noun(plan['seeds'], 'seed')} x "
    searched = " and what is searched inside them" if plan["form"] == "nested" else ""
    console.print(
        f"folds    {settings}{seeds}{noun(plan['folds'], 'fold')}{searched}: {noun(plan['trials'], 'training')}, "
        f"{noun(plan['steps'], 'update')}"
    )
    for group in plan["groups"]:
        how = "alone" if group["engine"] == "solo" else f"{group['stack']} at once"
        console.print(
            f"group    {noun(group['size'], 'training')}, {how if group['stack'] else group['engine']}: "
            f"{escape(group['reason'])}"
        )
    console.print(f"memory   about {plan['memory'] / 2**20:,.0f} MiB for weights, activations and data")
    console.print(f"time     about {plan['seconds']:,.0f} s in one process")
    console.print("nothing was trained and nothing written")


def show_audit(audit: "Audit", console: Console) -> None:
    """Print what an audit of the folds showed."""
    console.print(audit_table(audit))
    for finding in audit["findings"]:
        console.print(f"[yellow]{escape(finding)}[/]")
    console.print("[green]no leak found[/]" if audit["clean"] else "[red]held-out rows reach the training[/]")
