"""References are counted before they are resolved: what grows without end is refused, what people write is not."""

import pytest

from dlexp.config.rule.expansion import require_bounded
from dlexp.error import ConfigError


def chain(num: int, times: int) -> dict:
    return {"a0": "xxxxx"} | {f"a{i}": f"${{model.a{i - 1}}}" * times for i in range(1, num)}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (chain(12, 10), r"^model\.a\d: got references that stand for more than 100,000 values"),
        ({"a0": [1] * 10} | {f"a{i}": [f"${{.a{i - 1}}}"] * 10 for i in range(1, 3)}, ""),
        ({"a0": [1] * 10} | {f"a{i}": [f"${{..a{i - 1}}}"] * 10 for i in range(1, 12)}, "stand for more than"),
        (chain(30, 1), r"^model\.a21: got references that lead through more than 20; shorten"),
        (dict(reversed(chain(5000, 1).items())), "got references that lead through more than 20"),
        (chain(5000, 1), "got references that lead through more than 20"),
        ({"widths": ["${seed}"] * 19_000}, "stand for more than"),
        ({"widths": "${seed}" * 100_000}, "stand for more than"),
        ({"a": "${model.${b}}", "b": "a"}, "^model.a: got a reference whose key is made of references"),
        ({"a": "${oc.select:model.b}"}, "^model.a: got a reference by oc.select; keys and oc.env are known"),
        ({"a": "${oc.decode:'${model.b}'}"}, "^model.a: got a reference"),
        ({"a": "${oc.env:HOME,${seed}}", "b": "${seed}", "c": "${.b}", "d": "${nothing} ${", "e": "${.e}"}, ""),
        ({"a": "http://me:${oc.env:TOKEN}@host", "b": ["${model.b}"]}, ""),
    ],
)
def test_what_grows_is_refused(model, message):
    raw = {"model": model, "seed": 0}
    if not message:
        require_bounded(raw)
        return
    with pytest.raises(ConfigError, match=message):
        require_bounded(raw)
