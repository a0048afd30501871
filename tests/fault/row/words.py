"""Random words: overrides and YAML files by the thousand end in a configuration or in one line."""

import os
import shutil
from pathlib import Path

from tests.fault.promise import Attempt, Row
from tests.fault.runner import ROOT

EACH_OVERRIDE, EACH_FILE = 200, 10
NUM_LINES = 2000
LETTERS = "[]{}(),:='\"\\ $x1é-+*&!|>%@`#\t"


def overrides(attempt: Attempt) -> None:
    """Resolve random overrides."""
    from hypothesis import HealthCheck, given, seed, settings
    from hypothesis import strategies as st

    from tests.config.test_fuzz import exit_code, one_key
    from tests.config.test_fuzz import overrides as drawn

    unheeded = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

    @seed(attempt.chance.randrange(2**32))
    @settings(max_examples=EACH_OVERRIDE, deadline=None, database=None, suppress_health_check=unheeded)
    @given(st.lists(drawn, min_size=1, max_size=2, unique_by=one_key))
    def end_in_words(texts: list[str]) -> None:
        assert exit_code(texts) in (0, 2), texts

    end_in_words()


def mutated(attempt: Attempt) -> None:
    """Resolve configurations whose files were changed at random."""
    from tests.config.test_fuzz import exit_code_of

    shutil.copytree(ROOT / "conf", "own", ignore=shutil.ignore_patterns("__*"))
    files = sorted(path for path in Path("own").glob("*/*.yaml"))
    long = Path("own", "model", "long.yaml")
    long.write_text("defaults: [mlp, _self_]\nwidths:\n" + "  - 4  # units\n" * NUM_LINES)
    for i in range(EACH_FILE):
        path = attempt.chance.choice(files) if i else long
        whole = path.read_text()
        path.write_text(changed(whole, attempt))
        group, option = path.parent.name, path.stem
        code = exit_code_of([f"{group}={option}"], Path("own"))
        assert code in (0, 2), f"{group}={option}: {path.read_text()}"
        path.write_text(whole)
    os.chdir(attempt.place)


def changed(text: str, attempt: Attempt) -> str:
    """Return a YAML text with one to four letters, lines or values changed."""
    chance = attempt.chance
    for _ in range(chance.randint(1, 4)):
        lines, at = text.splitlines() or [""], chance.randrange(len(text) + 1)
        line = chance.randrange(len(lines))
        ways = [
            text[:at] + chance.choice(LETTERS) + text[at:],
            text[:at] + text[at + chance.randint(1, 9) :],
            "\n".join(lines[:line] + lines[line + 1 :]),
            "\n".join([*lines[:line], lines[line], *lines[line:]]),
            "\n".join(
                [
                    *lines[:line],
                    chance.choice(["  ", "- ", "? ", "&a ", "*a ", "<<: "]) + lines[line],
                    *lines[line + 1 :],
                ]
            ),
            "\n".join(
                [*lines[:line], lines[line].partition(":")[0] + ": " + chance.choice(VALUES), *lines[line + 1 :]]
            ),
        ]
        text = chance.choice(ways)
    return text


VALUES = (
    *(
        "null",
        "true",
        "nan",
        "-1",
        "1e999",
        "[]",
        "{}",
        "[1, {a: 2}]",
        "'${seed}'",
        "${nothing}",
        "${.lr}",
        "???",
        "''",
    ),
    *(
        "2020-01-01",
        "0x1F",
        "1_000",
        "!!binary aGk=",
        "!!set {a}",
        "!!python/name:os.system",
        "9" * 400,
        "\u2028",
        "1:30",
    ),
)


ROWS = [
    Row(
        "overrides-random",
        "Any override ends in a configuration, or in one line and exit 2",
        "random keys, options, values, brackets, references and text",
        overrides,
        fast=0,
        full=50,
        each=EACH_OVERRIDE,
    ),
    Row(
        "yaml-mutated",
        "Any change of a YAML file ends in a configuration, or in one line and exit 2",
        "one to four letters, lines or values of a shipped file, or of one of 2,000 lines, changed at random",
        mutated,
        fast=1,
        full=200,
        each=EACH_FILE,
    ),
]
