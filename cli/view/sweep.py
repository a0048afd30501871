"""What `dlexp sweep` prints: what is searched, the leaderboard, and what a sweep would take."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dlexp.config.wording import command_line, setting_text
from dlexp.number import decimal, duration, noun, significant
from dlexp.run.name import reference

from ..output import metric_label, show_notes
from ..text import escape, short_path, size_text
from .data import show_classes
from .fit import show_table
from .selection import show_selection

if TYPE_CHECKING:
    from dlexp.console.board import Board
    from dlexp.job.sweep.document import BestSetting, DetachedSweep, SweepPlan, SweepResult, TrialGroup
    from dlexp.job.sweep.leaderboard import RankedSetting
    from dlexp.job.sweep.loop import SweepEvent
    from dlexp.job.sweep.sweep import Announcement, Findings

SHOWN = 10
GUESSED = {"accuracy": "most frequent class", "rmse": "mean", "explained_variance": "mean"}
SEEDS = 8  # that a winner is trained with again, to know its mean and spread


class Announcer:
    """Shows what is about to be searched, then passes the events to the board."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.board: Board | None = None

    def __call__(self, about: "Announcement") -> "Announcer":
        """Show what is known beforehand; return what listens."""
        from dlexp.console.board import Board
        from dlexp.job.sweep.comparable import left_out

        console, spec, data = self.console, about.spec, about.spec.first.dataset
        console.print(f"data    {escape(data.name)} ({data.task}): {len(data.train):,} train, {len(data.val):,} val")
        show_classes(data, console)
        for d in spec.space.dimensions:
            console.print(
                f"search  {escape(d.text)}" + (f"  ({d.owner}={'|'.join(sorted(d.options))})" if d.owner else "")
            )
        for text in left_out(spec.space):
            console.print(f"fixed   {escape(text)}")
        if spec.space.seeds:
            console.print(f"seeds   {', '.join(map(str, spec.space.seeds))}: the mean of {spec.metric} counts")
        console.print(f"by      {spec.composed.choices['search']}, best {spec.metric}")
        console.print(f"device  {spec.first.device_line}")
        for warning in about.warnings:
            console.print(f"[yellow]warning[/] {escape(warning)}")
        going_on = "" if about.is_new else ", going on"
        console.print(f"sweep   {escape(short_path(about.folder.path))}{going_on}", soft_wrap=True)
        epochs = spec.first.run.trainer.epochs
        self.board = Board(console, spec.metric, spec.is_high_better, max(1, len(spec.space.seeds)), epochs)
        return self

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self.board is not None:
            self.board.close()

    def listen(self, event: "SweepEvent") -> None:
        """Pass a round, an epoch or the end of a trial to the board."""
        from dlexp.job.sweep.loop import RoundBegin, TrialEpoch

        assert self.board is not None
        if isinstance(event, RoundBegin):
            announced = event.round
            self.board.begin_round(announced.number, announced.notes, event.total)
        elif isinstance(event, TrialEpoch):
            value = event.event.metrics.get(self.board.metric, float("nan"))
            self.board.epoch(event.trial.overrides, value)
        else:
            ended = event.result
            self.board.total = event.total
            self.board.end(ended.trial.overrides, ended.value, ended.status, ended.reason, is_new=event.is_new)


def show_detached(left: "DetachedSweep", console: Console) -> None:
    """Print that trials are left to their jobs, and how they are collected."""
    console.print(f"[bold]{left['status']}[/]: {noun(left['jobs'], 'job')} that need no command of dlexp's")
    console.print("how far       dlexp runs")
    console.print(f"collect       dlexp wait {escape(left['run_dir'])}", soft_wrap=True)


def show(findings: "Findings", console: Console) -> None:
    """Print what a sweep found."""
    result, best = findings.outcome.result, findings.outcome.result["best"]
    seconds = result["seconds"]
    console.print(f"[bold]{result['status']}[/]: {noun(len(result['trials']), 'trial')}, {duration(seconds)}")
    if findings.ranking:
        show_table(_leaderboard(findings), console, ("epochs",))
    for name, value in result["guess"].items():
        console.print(f"guess         {name} {significant(value)}, by the {GUESSED[name.rpartition('/')[2]]}")
    _show_importances(result, console)
    failed = sum(record["status"] in ("failed", "diverged") for record in result["trials"])
    if failed:
        console.print(f"[yellow]{failed} of {noun(len(result['trials']), 'trial')} failed or diverged[/]")
    invalid = sum(record["status"] == "invalid" for record in result["trials"])
    if invalid:
        console.print(f"[yellow]{invalid} of them were skipped: they cannot be trained[/]")
    if best is not None:
        for edge in best["edges"]:
            key, side = edge.split(": ")
            console.print(f"[yellow]the best {key} lies at the {side} edge of what was searched; widen it[/]")
        _show_selection_bias(result, best, console)
    show_notes(findings.outcome.notes, console)
    console.print(f"sweep folder  {escape(short_path(result['run_dir']))}", soft_wrap=True)
    if best is not None:
        _show_commands(findings, best, console)


def _show_commands(findings: "Findings", best: "BestSetting", console: Console) -> None:
    """Print what to do next, in whole lines to be copied: a terminal wraps them without a break."""
    from dlexp.run.folder import RunFolder  # its lock is not there on every platform: not before that is checked

    console.print(f"winner        {escape(findings.command)}", soft_wrap=True)
    result, has_test = findings.outcome.result, len(findings.spec.first.dataset.test) > 0
    again = command_line("train", ["--from", reference(RunFolder(Path(result["run_dir"]))), "--seeds", str(SEEDS)])
    if best["seeds"] > 1 and has_test:
        console.print(f"sealed test   {escape(again)} --test", soft_wrap=True)
    elif _is_drawn(best):
        console.print(f"more seeds    {escape(again)}", soft_wrap=True)
    if best["seeds"] == 1 and has_test:
        sealed = command_line("eval", [short_path(str(best["run_dir"])), "--split", "test"])
        console.print(f"sealed test   {escape(sealed)}", soft_wrap=True)


def _is_drawn(best: "BestSetting") -> bool:
    """Say whether the best model begins at random: one that is fitted in one step is the same under every seed."""
    from dlexp.config.rule.fitted import is_fitted
    from dlexp.run.folder import RunFolder

    return not is_fitted(RunFolder(Path(str(best["run_dir"]))).config["model"]["_target_"])


def _show_selection_bias(result: "SweepResult", best: "BestSetting", console: Console) -> None:
    metric = result["metric"]
    if best["seeds"] == 1 and _is_drawn(best):
        console.print("one seed a setting: the noise of seeds is unknown; seed='range(0,3)' shows it")
    if "picked_among" not in best or best["value"] is None:
        return
    picked = f"{metric} {decimal(best['value'])} is the best of {best['picked_among']}, picked by the validation part"
    show_selection(console, picked, "setting and epoch" if best.get("corrected_epochs") else "setting", best)


def _show_importances(result: "SweepResult", console: Console) -> None:
    from dlexp.config.wording import short_key

    shares, note = result["importances"], result.get("importances_note", "")
    if shares:
        named = ", ".join(f"{short_key(key, list(shares))} {share:.2f}" for key, share in shares.items())
        console.print(f"importance {escape(named)}: {escape(note)}")
    elif note and "dimension" not in note:
        console.print(f"importance not computed: {escape(note)}")


def _leaderboard(findings: "Findings") -> Table:
    """Return the best settings in the columns where they differ."""
    from dlexp.config.wording import short_key, short_value

    ranking, metric = findings.ranking[:SHOWN], findings.outcome.result["metric"]
    keys = list(dict.fromkeys(key for ranked in findings.ranking for key in ranked.settings))
    differing = [key for key in keys if len({repr(s.settings.get(key)) for s in findings.ranking}) > 1] or keys
    has_seeds = any(ranked.std is not None for ranked in ranking)
    table = Table(box=None, pad_edge=False)
    table.add_column("", justify="right")
    table.add_column(metric_label(metric, findings.outcome.result.get("positive")), justify="right")
    for key in differing:
        table.add_column(escape(short_key(key, differing)), justify="right")
    table.add_column("epochs", justify="right")
    table.add_column("status")
    has_ties = any(ranked.is_tied for ranked in ranking)
    if has_ties:
        table.add_column("tie")
    for place, ranked in enumerate(ranking, 1):
        value = "none" if ranked.value is None else decimal(ranked.value)
        if has_seeds and ranked.std is not None:
            value += f" ± {decimal(ranked.std)}"
        cells = [escape(short_value(ranked.settings[key])) if key in ranked.settings else "" for key in differing]
        tie = ["with 1" if ranked.is_tied else ""] if has_ties else []
        table.add_row(str(place), value, *cells, str(ranked.results[0].epochs), _status(ranked), *tie)
    if len(findings.ranking) > SHOWN:
        table.caption = f"{len(findings.ranking) - SHOWN} more in result.json"
        table.caption_justify = "left"
    return table


def _status(ranked: "RankedSetting") -> str:
    from dlexp.job.sweep.result import is_a_guess

    endings = list(dict.fromkeys(result.status for result in ranked.results))
    return ", ".join([*endings, *(["a guess"] if ranked.value is not None and is_a_guess(ranked) else [])])


def show_dry_run(plan: "SweepPlan", console: Console) -> None:
    """Print what a sweep would take."""
    rounds = f" in {plan['rounds']} rounds" if plan["rounds"] > 1 else ""
    console.print(f"settings {plan['settings']:,}, {noun(plan['trials'], 'trial')}{rounds}")
    for line in plan["skipped"]:
        console.print(f"[yellow]{escape(line)}[/]")
    for text in plan["left_out"]:
        console.print(f"fixed    {escape(text)}")
    for line in _group_lines(plan["groups"]):
        console.print(f"group    {escape(line)}")
    low, high = plan["num_params"]
    console.print(f"params   {low:,}" + ("" if low == high else f" to {high:,}"))
    console.print(f"device   {plan['device']}")
    memory, process, free = (size_text(plan[name]) for name in ("memory", "memory_process", "memory_free"))
    console.print(f"memory   about {memory} beside {process} of torch itself; {free} are free")
    disk, each, free = map(size_text, (plan["disk"], plan["disk"] // plan["trials"], plan["disk_free"]))
    console.print(f"disk     about {disk}, {each} a trial; {free} are free")
    spent = ", ".join(f"{name} {_time(value)}" for name, value in plan["spent"].items())
    parallel = f" in {noun(plan['workers'], 'process')}, at best" if plan["workers"] > 1 else ""
    console.print(f"time     about {_time(plan['seconds'])}{parallel}: {spent}")
    if plan["measured"] < len(plan["groups"]):
        console.print(f"         measured on {plan['measured']} of {len(plan['groups'])} structures, else their mean")
    if plan["memory"] > plan["memory_free"]:
        console.print("[red]memory will not suffice[/]")
    if plan["disk"] > plan["disk_free"]:
        console.print("[red]disk will not suffice[/]")
    console.print("nothing was trained and nothing written")


def _group_lines(groups: "list[TrialGroup]") -> list[str]:
    """Return a line for each of the largest groups: what tells it from the others, how it trains and why."""
    keys = list(dict.fromkeys(key for group in groups for key in group["settings"]))
    differing = [key for key in keys if len({repr(group["settings"].get(key)) for group in groups}) > 1]
    lines = []
    for group in groups[:SHOWN]:
        about = setting_text({key: group["settings"][key] for key in differing if key in group["settings"]})
        how = {"solo": "one after another", "fused": f"{group['stack']} at once"}.get(group["engine"], group["engine"])
        what = f"{about}: " if about else ""
        lines.append(
            f"{what}{noun(group['size'], 'trial')}, {noun(group['num_params'], 'parameter')}, {how} ({group['reason']})"
        )
    if len(groups) > SHOWN:
        lines.append(f"and {noun(len(groups) - SHOWN, 'more structure')}")
    return lines


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, hours = seconds / 60, seconds / 3600
    return f"{minutes:.0f} min" if minutes < 120 else f"{hours:.1f} h"
