from dlexp.report.markdown import MOST_ROWS, write
from dlexp.report.model import Card, Commands, Figure, Page, Row, Section, Table


def never():
    raise AssertionError("Markdown shows no figure")


def page(*blocks, is_folded=False):
    return Page(
        "about", "Which?", "That.", [Card("a", "1", "of 2")], [Section("S", blocks, is_folded=is_folded)], ["n"]
    )


def test_the_answer_stands_first_and_no_figure_is_drawn():
    text = write(page(Figure("F", "Finds.", never, Table("T", ("k", "v"), [Row(("a", 0.5), is_marked=True)]))))
    assert text.startswith("## Which?\n\nThat.\n")
    assert "\n| k | v |\n|---|---:|\n| **a** | **0.5000** |\n" in text
    assert "Finds." in text


def test_what_a_cell_says_cannot_break_the_table_or_become_markup():
    lines = write(page(Table("T", ("k",), [Row(("a|b\n*<c>",))]))).splitlines()
    assert lines[lines.index("| k |") + 2] == r"| a\|b \*\<c\> |"


def test_long_tables_say_how_much_is_left_out():
    text = write(page(Table("T", ("k",), [Row((i,)) for i in range(MOST_ROWS + 3)])))
    assert "3 more rows are in the HTML form" in text


def test_a_command_with_backticks_stays_in_its_fence():
    text = write(page(Commands([("echo ```", "why")])))
    assert "\n````text\necho ```  # why\n````\n" in text
