"""The Typer application: its commands, and how every error reaches the user."""

import os
import signal
import sys

import typer

from dlexp.launcher.devices.launched import rank, require_single

from . import event, flag
from .command import (
    compare,
    config,
    cv,
    data,
    doctor,
    evaluate,
    new,
    options,
    predict,
    summary,
    sweep,
    sync,
    train,
    ui,
)
from .command.claim import reproduce, surface
from .command.project import init, schema
from .command.run import diagnose, ensemble, export, note, remove, report, runs, show, wait
from .completion import candidate
from .encoding import leave_ascii, require_text
from .output import show_error
from .stream import OutputLost, guarded

PLATFORMS = ("linux", "darwin")  # others lack the file locks and fork handlers that run folders and workers need

app = typer.Typer(
    name="dlexp",
    help="Train deep networks from YAML, compare them honestly. Start with: dlexp train",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback()(flag.flags)
app.command("complete", hidden=True)(candidate.complete)
app.command("train")(train.train)
app.command("sweep")(sweep.sweep)
app.command("cv")(cv.cv)
app.command("wait")(wait.wait)
app.command("eval")(evaluate.evaluate)
app.command("predict")(predict.predict)
app.command("compare")(compare.compare)
app.command("ensemble")(ensemble.ensemble)
app.command("report")(report.report)
app.command("export")(export.export)
app.command("config")(config.config)
app.command("options")(options.options)
app.command("init")(init.init)
app.command("new")(new.new)
app.command("schema")(schema.schema)
app.command("data")(data.data)
app.command("summary")(summary.summary)
app.command("diagnose")(diagnose.diagnose)
app.command("runs")(runs.runs)
app.command("show")(show.show)
app.command("note")(note.note)
app.command("rm")(remove.remove)
app.command("reproduce")(reproduce.reproduce)
app.command("surface")(surface.surface)
app.command("ui")(ui.ui)
app.command("sync")(sync.sync)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line and exit with the codes that docs/reference/index.md lists."""
    leave_ascii()
    arguments = [_at_home(argument) for argument in sys.argv[1:]]
    is_debug = "--debug" in arguments
    is_json = "--json" in arguments
    is_followed = event.FLAG in arguments and not rank()
    event.begin()
    if sys.platform not in PLATFORMS:
        message = f"got the platform {sys.platform}; dlexp runs on Linux and macOS, on Windows inside WSL"
        raise SystemExit(show_error("environment", message, 2, is_json=is_json))
    try:
        with guarded():
            code = _run(arguments, is_debug=is_debug, is_json=is_json, is_followed=is_followed)
    except OutputLost as lost:
        code = lost.exit_code
    raise SystemExit(code)


def _run(arguments: list[str], *, is_debug: bool, is_json: bool, is_followed: bool) -> int:
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        require_text(arguments)
        require_single(next((argument for argument in arguments if not argument.startswith("-")), ""))
        code = app(args=arguments or ["--help"], standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
        if is_followed:
            event.end(code)
    except SystemExit as stop:  # a second signal
        if is_followed:
            event.end(stop.code if isinstance(stop.code, int) else 1)
        raise
    except OutputLost:
        raise
    except Exception as error:
        if is_debug:
            raise
        code = _explain(error, is_json and not is_followed, is_followed)
    return code if isinstance(code, int) else 0


def _at_home(argument: str) -> str:
    """Return ``--figure=~/x.png`` with the user's home in place of ~, which most shells leave to the program."""
    option, _, value = argument.partition("=~/")
    return f"{option}={os.path.expanduser(f'~/{value}')}" if option.startswith("--") and value else argument


def _explain(error: Exception, is_json: bool, is_followed: bool) -> int:
    """Tell an error in the form that was asked for; return the exit code."""
    from dlexp.error import PeerLost

    kind, message, code = _words(error)
    if isinstance(error, PeerLost):
        if not rank():  # others have nothing to add
            show_error(kind, message, code, is_json=is_json)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # a usual end waits for threads that wait for the other process
    if is_followed:
        event.end_with_error(code, kind, message)
    return show_error(kind, message, code, is_json=is_json)


def _words(error: Exception) -> tuple[str, str, int]:
    """Return an error's kind, its line and the exit code."""
    from dlexp.config.source.fault import user_fault
    from dlexp.error import DlexpError, first_line, is_out_of_memory, name_fault_of_device, name_fault_of_path

    if isinstance(error, DlexpError):
        return error.kind, user_fault(error) or str(error), error.exit_code
    if fault := user_fault(error):
        return "run", fault, 1
    if fault := name_fault_of_path(error):
        return "config", fault, 2
    usage = getattr(error, "format_message", None)  # click's errors of usage, whichever copy of click Typer brings
    if usage is not None:
        return "usage", usage(), 2
    if is_out_of_memory(error):
        return "environment", "out of memory; choose a smaller model, batch or data set", 1
    if fault := name_fault_of_device(error):
        return "environment", fault, 1
    message = f"{type(error).__name__}: {first_line(error)}; run again with --debug to see where, and report it"
    return "internal", message, 1
