"""Completion as a user meets it: a TAB in a real terminal, after `dlexp --install-completion` from that shell."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests import command

DLEXP = Path(sys.executable).parent / "dlexp"
# Ctrl-G writes the line as it stands, so that tests see what the shell made of it and not how it drew it
SHOW_LINE = {
    "bash": r"""bind -x '"\C-g": printf "%s" "$READLINE_LINE" >$LINE_FILE.new; mv $LINE_FILE.new $LINE_FILE'""",
    "zsh": r"""show() { print -rn -- "$BUFFER" >$LINE_FILE.new; mv $LINE_FILE.new $LINE_FILE }
zle -N show; bindkey '^G' show""",
    "fish": r"""bind \cg 'commandline >$LINE_FILE.new; mv $LINE_FILE.new $LINE_FILE'""",
}
ARGUMENTS = {"bash": ["--noprofile", "-i"], "zsh": ["-i"], "fish": ["-i"]}
CASES = [
    ("dlexp tra", "dlexp train "),
    ("dlexp train mod", "dlexp train model"),  # model= and model. are both possible
    ("dlexp train optimizer.l", "dlexp train optimizer.lr="),
    ("dlexp train optimizer=adamw", "dlexp train optimizer=adamw "),
    ("dlexp train optimizer=nes", "dlexp train optimizer=nesterov "),
    ("dlexp train model=resnet model.de", "dlexp train model=resnet model.depth="),
    ("dlexp train model=vgg seed=1 dropout.", "dlexp train model=vgg seed=1 dropout.p="),  # vgg brings dropout along
    ("dlexp train --dry-run see", "dlexp train --dry-run seed"),
    ("dlexp train model=densenet model.depth=26", "dlexp train model=densenet model.depth=264 "),
    ("dlexp train data.stratify=f", "dlexp train data.stratify=false "),
    ("dlexp train schedule=step data.val_count=nu", "dlexp train schedule=step data.val_count=null "),
    ("dlexp show 1qv", "dlexp show 1qvxbxpqqvy "),
    ("dlexp train --resume la", "dlexp train --resume last "),
    ("dlexp eval --runs-dir own/none 1qv", "dlexp eval --runs-dir own/none 1qv"),
    ("dlexp sweep +experiment=dat", "dlexp sweep +experiment=data_size "),
    ("dlexp options regu", "dlexp options regularizer "),
    ("dlexp options model densen", "dlexp options model densenet "),
    ("dlexp train --dry", "dlexp train --dry-run "),
    ("dlexp train --config-dir own model=my", "dlexp train --config-dir own model=mynet "),
    ("dlexp train --config-dir ow", "dlexp train --config-dir own/"),  # a folder's name: the shell's own completion
]


class Terminal:
    """An interactive shell in a pseudo-terminal, with completion installed from within."""

    def __init__(self, shell: str, home: Path) -> None:
        self.line_file = home / "line"
        rc = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}[shell]
        (home / rc).parent.mkdir(parents=True, exist_ok=True)
        (home / rc).write_text(f"# mine\n{SHOW_LINE[shell]}\n")
        (home / "own" / "model").mkdir(parents=True)
        (home / "own" / "model" / "mynet.yaml").write_text("_target_: my.Net\n")
        (home / "runs" / "digits" / "1qvxbxpqqvy-default").mkdir(parents=True)
        env = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
        env |= {"HOME": str(home), "TERM": "xterm", "LINE_FILE": str(self.line_file), "INPUTRC": "/dev/null"}
        env |= {"PATH": f"{DLEXP.parent}:{os.environ['PATH']}", "fish_features": "no-query-term"}
        program = str(shutil.which(shell))
        done = subprocess.run(
            [program, "-c", "dlexp --install-completion; true"], env=env, text=True, capture_output=True, check=True
        )
        assert f"{shell} completion is in" in done.stdout, done.stderr
        self.child = pexpect.spawn(
            program, ARGUMENTS[shell], env=env, cwd=home, timeout=20, encoding="utf-8", dimensions=(40, 200)
        )
        self.child.delaybeforesend = 0.05

    def press_tab(self, typed: str) -> str:
        """Return the line after typing something and TAB, and clear it."""
        self.line_file.unlink(missing_ok=True)
        self.child.send(f"\x15{typed}\t\x07")
        self._wait()
        line = self.line_file.read_text().removesuffix("\n")
        self.child.send("\x15")
        return line

    def _wait(self) -> None:
        end = time.monotonic() + 20
        while not self.line_file.exists():
            assert time.monotonic() < end, f"no answer; on the screen: {self.child.read_nonblocking(10_000, 0)}"
            self.child.expect([pexpect.TIMEOUT, r".+"], timeout=0.05)  # an unread screen would block the shell


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def terminal(request, tmp_path_factory):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    started = Terminal(request.param, tmp_path_factory.mktemp(request.param))
    yield started
    started.child.close(force=True)


@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_tab(terminal, typed, expected):
    assert terminal.press_tab(typed) == expected


def run(*arguments):
    return command.run(Path(), *arguments)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dlexp train model=res", ["model=resnet ", "model=resnext "]),
        ("dlexp train 'model=resn", ["model=resnet ", "model=resnext "]),
        ("dlexp train seeds.i", ["seeds.init="]),
        ("dlexp train task", ["task="]),
        ("dlexp nothing ", []),
        ("dlexp train --config-dir ", []),
        ("dlexp train --config-dir /nowhere mod", []),
        ("dlexp options model resnet ", []),
    ],
)
def test_candidates(line, expected):
    assert [text for text in run("complete", "--", line).stdout.split("\n") if text] == expected


def test_completion_leaves_the_start_up_file_alone_but_for_one_line(tmp_path):
    (tmp_path / ".bashrc").write_text("# mine, no newline at the end")
    env = os.environ | {"HOME": str(tmp_path), "PATH": f"{DLEXP.parent}:{os.environ['PATH']}"}
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        env.pop(variable, None)
    for _ in range(2):
        subprocess.run(["bash", "-c", "dlexp --install-completion; true"], env=env, check=True, capture_output=True)
    lines = (tmp_path / ".bashrc").read_text().splitlines()
    assert lines == [
        "# mine, no newline at the end",
        f"source '{tmp_path}/.local/share/dlexp/completion.bash'",
    ]


def test_show_completion_prints_a_script_that_the_shell_accepts():
    env = os.environ | {"PATH": f"{DLEXP.parent}:{os.environ['PATH']}"}
    script = subprocess.run(
        ["bash", "-c", "dlexp --show-completion; true"], env=env, capture_output=True, text=True, check=True
    ).stdout
    assert "complete -o nospace" in script
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_completion_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['dlexp', 'complete', '--', 'dlexp train model=resnet model.de']\n"
        "from dlexp.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print({'torch', 'mlflow', 'hydra', 'sklearn', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["model.depth=", "set()"]
