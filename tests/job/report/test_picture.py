import re

import pytest
from matplotlib.figure import Figure

from dlexp.figure.style.look import look
from dlexp.job.report.picture import WIDTH, drawing

pytestmark = pytest.mark.usefixtures("drawn")


def test_figures_have_the_page_s_width_whatever_the_user_asked_of_files():
    seen = []

    def draw():
        seen.append(look().width)
        return Figure(figsize=(WIDTH, 1))

    text = drawing(draw)().decode()
    assert seen == [WIDTH]
    assert look().width is None
    assert re.search(r'viewBox="0 0 254\.\d+ 72"', text)
