"""Each test of figures begins with the usual look."""

import pytest

from dlexp.figure.style.look import Look, change_look


@pytest.fixture(autouse=True)
def _usual_look(drawn):
    usual = vars(Look())
    change_look(**usual)
    yield
    change_look(**usual)
