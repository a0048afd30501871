"""Random overrides end in a configuration or in an error for the user, never in a traceback; others each time.

`python -m tests.fault --full --row overrides-random` draws 10,000.
"""

import secrets

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from dlexp.config.catalog import list_groups
from dlexp.config.compose import flat_keys
from dlexp.config.resolve import resolve, to_yaml
from dlexp.error import DlexpError

GROUPS = list_groups()
KEYS = [key for key in flat_keys(resolve([]).config) if "_target_" not in key]
SEED = secrets.randbits(32)

keys = st.one_of(
    st.sampled_from(KEYS),
    st.sampled_from([*GROUPS, "hydra.run.dir", "model.depth", "optimizer.momentum", "model._target_", "data.path"]),
    st.builds(lambda key, at: key[:at] + key[at + 1 :], st.sampled_from(KEYS), st.integers(0, 12)),  # a letter lost
    st.builds(lambda key, tail: key + tail, st.sampled_from(KEYS), st.sampled_from([".x", "@a.b", "[0]", ".0", "/y"])),
    st.text(max_size=12),
)
scalars = st.one_of(
    st.sampled_from(["null", "true", "???", "nan", "-inf", "1e999", "0x1F", "''", '"', "${seed}", "${model.widths}"]),
    st.sampled_from(["${oc.env:HOME}", "${oc.decode:'['}", "${nothing}", "${model}", "${", "${.lr}", "${a:b}", "$"]),
    st.sampled_from(["range(1,3)", "1,2", "glob(*)", "choice(a,b)", "sort(3,1)", "int(x)", "tag(a,b)", "shuffle(1)"]),
    st.sampled_from([option for options in GROUPS.values() for option in options]),
    st.integers().map(str),
    st.integers(10**300, 10**320).map(str),
    st.floats().map(str),
    st.text(alphabet="ab1 é", max_size=8),
    st.text(max_size=20),
    st.text(alphabet="[]{}(),:='\"\\ $x1", max_size=20),
)
pieces = st.sampled_from(["[", "{a:", "x", "${seed", "é", "int("])
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=4).map(lambda items: f"[{','.join(items)}]"),
    st.builds(lambda name, value: f"{{{name}:{value}}}", st.sampled_from(["lr", "_target_", "a.b", "1"]), scalars),
    st.builds(lambda piece, count: piece * count, pieces, st.integers(50, 900)),
    st.integers(9_900, 20_000).map("9".__mul__),
)  # fmt: skip
# half are well formed, so that the checks behind the parser are reached too
plain = st.builds("{}{}={}".format, st.sampled_from(["", "", "", "+", "++", "~"]), st.sampled_from(KEYS), scalars)
wild = st.builds(
    "{}{}{}{}".format, st.sampled_from(["", "+", "++", "~"]), keys, st.sampled_from(["=", "=", ""]), values
)
overrides = st.one_of(plain, wild)


@pytest.fixture(scope="module", autouse=True)
def say_the_seed():
    print(f"\nhypothesis seed {SEED}")


def one_key(text):
    return text.lstrip("+~").partition("=")[0]


def exit_code(texts):
    return exit_code_of(texts, None)


def exit_code_of(texts, config_dir):
    """Return the exit code of a configuration; None for an error without words."""
    try:
        composed = resolve(texts, config_dir)
    except DlexpError as error:
        return error.exit_code if str(error).strip() else None
    assert to_yaml(composed.config)
    return 0


@seed(SEED)
@settings(
    max_examples=400,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(st.lists(overrides, min_size=1, max_size=2, unique_by=one_key))
def test_random_overrides_end_in_a_config_or_a_config_error(texts):
    assert exit_code(texts) in (0, 2)
