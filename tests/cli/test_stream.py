"""Standard streams that are closed, full or left by their reader."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from dlexp.job.interrupt import Interrupt

stream = import_module("dlexp.cli.stream")  # installed from cli/, which type checkers cannot see
DLEXP = Path(sys.executable).parent / "dlexp"
FULL = "output error: stdout: No space left on device; send it elsewhere\n"


def shell(line, cwd=None):
    """Run a line of bash in which $D is dlexp; return exit code of its first command, stdout and stderr."""
    script = f"set -o pipefail; D='{DLEXP}'; {line}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("line", "code", "err"),
    [
        ("$D options | head -c 1 >&2", 141, "a"),
        ("$D options --json | true", 141, ""),
        ("$D config > /dev/full", 1, FULL),
        ("$D options --json > /dev/full", 1, FULL),
        ("$D --help > /dev/full", 1, FULL),
        ("$D config >&-", 1, ""),
        ("$D config --quiet >&-", 0, ""),
        ("$D config model=nope 2> /dev/full", 2, ""),
        ("$D config model=nope 2>&-", 2, ""),
        ("$D config --quiet <&- 2>&-", 0, ""),
    ],
)
def test_a_command_ends_in_one_line_at_most(line, code, err):
    assert shell(line) == (code, "", err)


@pytest.mark.parametrize(("line", "code"), [("| head -n 6", 141), ("> /dev/full", 1)])
def test_a_training_goes_on_to_its_checkpoint(tmp_path, line, code):
    settings = "data=iris trainer.epochs=100000 trainer.threads=1 tracking=none"
    done = shell(f"$D train {settings} {line}", tmp_path)
    assert (done[0], done[2]) == (code, "" if code == 141 else FULL)
    (manifest,) = tmp_path.glob("runs/*/*/manifest.json")
    assert json.loads(manifest.read_text())["status"] == "interrupted"
    assert (manifest.parent / "checkpoints" / "last").exists()


class Broken:
    encoding = "ascii"

    def __init__(self, number):
        self.number, self.written = number, ""

    def write(self, text):
        if self.number:
            raise OSError(self.number, "broken")
        self.written += text

    def flush(self):
        pass

    def isatty(self):
        return False


def test_what_cannot_be_encoded_is_escaped():
    target = Broken(0)
    stream.GuardedStream(target, "stdout", None).write("± \udcff")
    assert target.written == "\\xb1 \\udcff"


def test_a_failure_is_told_once_and_wishes_what_trains_to_stop(capsys):
    guarded = stream.GuardedStream(Broken(28), "stdout", None)
    with Interrupt() as interrupt:
        assert guarded.write("a") == 1
        assert guarded.write("b") == 1
        assert interrupt()
    with pytest.raises(stream.OutputLost) as lost:
        guarded.flush()
    assert lost.value.exit_code == 1
    assert capsys.readouterr().err == "output error: stdout: broken; send it elsewhere\n"


def test_a_reader_that_left_is_not_spoken_of(capsys):
    with pytest.raises(stream.OutputLost) as lost:
        stream.GuardedStream(Broken(32), "stdout", None).write("a")
    assert (lost.value.exit_code, capsys.readouterr().err) == (141, "")


def test_a_terminal_that_closed_is_a_hangup(capsys):
    screen, terminal = os.openpty()
    with os.fdopen(terminal, "w", closefd=False) as opened, Interrupt() as interrupt:
        guarded = stream.GuardedStream(opened, "stdout", terminal)
        os.close(screen)
        guarded.write("a")
        guarded.flush()
        assert interrupt.exit_code == 129
    with pytest.raises(stream.OutputLost) as lost:
        guarded.flush()
    os.close(terminal)
    assert (lost.value.exit_code, capsys.readouterr().err) == (129, "")


def test_a_disk_that_fails_is_no_terminal_that_closed(capsys):
    with pytest.raises(stream.OutputLost) as lost:
        stream.GuardedStream(Broken(5), "stdout", None).write("a")
    assert lost.value.exit_code == 1
    assert capsys.readouterr().err == "output error: stdout: broken; send it elsewhere\n"


def test_a_closed_stdout_is_not_taken_for_a_file(tmp_path):
    code = "import os; from dlexp.cli.stream import guarded\nwith guarded():\n  print(os.open('f', os.O_CREAT) > 2)"
    line = f'{sys.executable} -c "{code}" >&- 2>&1'
    assert shell(line.replace("2>&1", "2>&2"), tmp_path)[0] == 1
    assert os.listdir(tmp_path) == ["f"]
