from dlexp.report.latex import escape, write
from dlexp.report.model import Card, Page, Row, Section, Table, Text


def test_a_table_is_one_of_booktabs_with_the_best_bold():
    table = Table("T_1", ("setting", "mean ± sd"), [Row(("a_b", 0.5), is_marked=True), Row(("50 %", None))])
    folded = Section("F", [table], is_folded=True)
    text = write(Page("", "Which\n\\evil?", "That.", [Card("a", "1")], [Section("S", [Text("x"), table]), folded]))
    assert text.count(r"\begin{table}") == 1
    assert r"\caption{T\_1}" in text
    assert r"\begin{tabular}{lr}" in text
    assert r"setting & mean $\pm$ sd \\" in text
    assert r"\textbf{a\_b} & \textbf{0.5000} \\" in text
    assert r"50 \% &  \\" in text
    assert [rule for rule in (r"\toprule", r"\midrule", r"\bottomrule") if rule not in text] == []
    assert all(line.startswith("%") for line in text.splitlines()[:3])


def test_what_latex_would_read_is_set_as_itself():
    assert escape("\\a{b}~^#&") == r"\textbackslash{}a\{b\}\textasciitilde{}\textasciicircum{}\#\&"
