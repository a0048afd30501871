"""Numbers in words; every text takes a number and its noun from `dlexp.number.noun`, never from "(s)"."""

import ast
import math
import re
from itertools import pairwise

import pytest

from dlexp import number
from tests.test_layout import ROOT, modules, relative
from tests.test_naming import nodes

# What texts count; a count of it may be 1.
COUNTED = (
    *("category", "channel", "character", "class", "column", "copy", "dimension", "epoch", "example", "feature"),
    *("file", "fold", "group", "image", "layer", "level", "line", "model", "number", "pair", "parameter", "picture"),
    *("point", "process", "repeat", "row", "run", "seed", "setting", "step", "text", "thread", "training", "trial"),
    *("update", "value", "worker"),
)
PLURALS = "|".join(number.plural(word) for word in COUNTED)
AT_ONCE = re.compile(rf" ({PLURALS})\b(?!/)")
# at least two by the condition before them
NEVER_SINGLE = {
    "dlexp/figure/roc.py": "classes",
    "dlexp/kernel/cross_entropy.py": "classes",
    "dlexp/console/progress.py": "examples",
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.96666, "0.9667"),
        (1.0, "1.000"),
        (0.0, "0.000"),
        (-0.5, "-0.5000"),
        (3136.2, "3136"),
        (123456, "1.235e+05"),
        (0.00002345678, "2.346e-05"),
        (99999, "1.000e+05"),
        (None, "not finite"),
    ],
)
def test_four_significant_digits(value, text):
    assert number.significant(value) == text


@pytest.mark.parametrize(
    ("value", "sign", "text"),
    [
        (0.966666, "-", "0.9667"),
        (0.0, "-", "0.0000"),
        (0.0005, "-", "0.0005"),
        (2.757e-8, "-", "2.757e-08"),
        (-0.00012, "+", "-0.0001200"),
        (0.0222, "+", "+0.0222"),
        (0.0, "+", "+0.0000"),
        (-0.0, "+", "+0.0000"),
        (-0.0, "-", "0.0000"),
        (999_999.0, "-", "999999.0000"),
        (81111304553885810688.0, "-", "8.111e+19"),
        (float("nan"), "-", "nan"),
        (float("inf"), "-", "inf"),
        (None, "+", "not finite"),
    ],
)
def test_a_measured_value_is_neither_hidden_nor_swollen(value, sign, text):
    assert number.decimal(value, sign=sign) == text


def test_an_interval_in_words():
    assert number.between([-0.01, 0.03], "+") == "-0.0100 to +0.0300"
    assert number.between([0.953, 0.987]) == "0.9530 to 0.9870"
    assert number.between([math.nan, math.nan], "+") == number.between([None, None]) == "no interval"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.034, "0.03 s"),
        (4.24, "4.2 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3599.7, "1 h"),
        (9360, "2 h 36 min"),
        (7199, "2 h"),
        (86_399, "1 d"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_time_in_its_two_largest_units(seconds, text):
    assert number.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "singular", "text"),
    [
        (0, "epoch", "0 epochs"),
        (1, "epoch", "1 epoch"),
        (1200, "epoch", "1,200 epochs"),
        (1, "class", "1 class"),
        (2, "class", "2 classes"),
        (2, "category", "2 categories"),
        (2, "key", "2 keys"),
        (2, "comment line", "2 comment lines"),
    ],
)
def test_a_noun_in_its_number(count, singular, text):
    assert number.noun(count, singular) == text


def is_fixed(value: ast.expr) -> bool:
    """Say whether a value is a constant of the program, such as MOST_COLUMNS."""
    names = [node.id for node in ast.walk(value) if isinstance(node, ast.Name)]
    return bool(names) and all(name == name.upper() for name in names)


def test_no_text_has_a_number_before_a_fixed_plural():
    places = []
    for path in modules("dlexp", "cli"):
        for node in nodes(path):
            for count, words in pairwise(node.values) if isinstance(node, ast.JoinedStr) else ():
                match = AT_ONCE.match(str(words.value)) if isinstance(words, ast.Constant) else None
                if match is None or not isinstance(count, ast.FormattedValue) or is_fixed(count.value):
                    continue
                if NEVER_SINGLE.get(relative(path)) != match[1]:
                    places.append(f"{relative(path)}: {ast.unparse(count.value)}{match[0]}")
    assert places == []


def test_no_text_makes_a_plural_by_hand():
    by_hand = [
        f"{relative(path)}: {ast.unparse(node)}"
        for path in modules("dlexp", "cli")
        for node in nodes(path)
        if isinstance(node, ast.IfExp)
        and {each.value for each in (node.body, node.orelse) if isinstance(each, ast.Constant)}
        in ({"", "s"}, {"", "es"})
    ]
    assert by_hand == []


def test_no_text_leaves_the_number_open():
    texts = [
        *modules("dlexp", "cli"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "conf").rglob("*.yaml"),
        ROOT / "README.md",
    ]
    open_ended = re.compile(rf"\b({'|'.join(COUNTED)})\((s|es)\)")
    assert [f"{relative(path)}: {match[0]}" for path in texts for match in open_ended.finditer(path.read_text())] == []


def test_no_page_shows_one_of_many():
    single = re.compile(rf"(?<![\d.,:x/] )(?<![\d.,:x/])\b1 ({PLURALS})\b")
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    assert [f"{relative(page)}: {match[0]}" for page in pages for match in single.finditer(page.read_text())] == []
