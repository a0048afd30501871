"""What docs/recipes.md says is so: every recipe is listed by its command, and the example is a question."""

import re
from pathlib import Path

from dlexp.config.catalog import EXPERIMENT, header, list_groups
from dlexp.config.source.question import with_searched
from dlexp.config.space import read_space

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")


def test_every_recipe_is_listed_by_the_command_that_its_head_names():
    listed = re.findall(r"^\| (`dlexp \w+ \+experiment=\w+`) \|", PAGE, re.M)
    named = [
        next(line for line in header(EXPERIMENT, recipe) if line.startswith("`dlexp"))
        for recipe in list_groups()[EXPERIMENT]
    ]
    assert sorted(listed) == sorted(named)


def test_the_example_searches_what_it_states(tmp_path):
    (name, text), *_ = re.findall(r"^```yaml\n# conf/(\S+)\n(.*?)^```$", PAGE, re.M | re.S)
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(text)
    space, composed = read_space(with_searched(["+experiment=deeper"], tmp_path), tmp_path)
    assert {d.key: d.values for d in space.dimensions} == {
        "model.widths": [[64], [64, 64], [64, 64, 64]],
        "optimizer.lr": [0.001, 0.01],
    }
    assert space.seeds == [0, 1, 2]
    assert composed.config["trainer"]["epochs"] == 10
