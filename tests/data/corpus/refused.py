"""Tables that are refused, with what is said beside each."""

import pyarrow

from tests.data.corpus.case import Case
from tests.data.corpus.tables import BIG, CLASSES, LABELS, NUM, X, csv, parquet, plain

MINUS = "\u2212"  # as typesetters write it

REFUSED = [
    Case("latin-1 unsaid", csv("x,y", lambda i: f"{X[i]},ä{i % 2}", codec="latin-1"), refusal=r"byte \d+ is not UTF-8"),
    Case("semicolons unsaid", csv("x;y", lambda i: plain(i).replace(",", ";")), refusal=r"set data.delimiter=';'"),
    Case(
        "decimal commas unsaid",
        csv(
            "x;y",
            lambda i: plain(i).replace(".", ",").replace(",no", ";no").replace(",yes", ";yes"),
            "data.delimiter=';'",
        ),
        refusal=r"column x: got '.*,.*'; numbers with a comma: set data.decimal=','",
    ),
    Case(
        "thousands unsaid",
        csv("x,y", lambda i: f'"{1_000_000 + 1000 * i:,}.5",{CLASSES[i % 2]}'),
        refusal=r"got '1,000,000.5'; numbers with grouped digits: set data.thousands",
    ),
    Case("UTF-16 without its mark", csv("x,y", plain, codec="utf-16-le"), refusal=r"set data.encoding=utf-16-le"),
    Case(
        "a short row",
        csv("x,y", lambda i: "1" if i == 7 else plain(i)),
        refusal=r"row 9: got 1 fields; the header has 2",
    ),
    Case("a long row", csv("x,y", lambda i: "1,2,3" if i == 7 else plain(i)), refusal=r"row 9: got 3 fields"),
    Case("a repeated name", csv("x,x,y", lambda i: f"1,{plain(i)}"), refusal=r"column x more than once"),
    Case(
        "row labels of R",
        csv("x,y", lambda i: f"{i + 1},{plain(i)}"),
        refusal="rows 2, 3, .*: got 3 fields; the header has 2 .row labels without a name. R .* row.names=FALSE",
    ),
    Case("an empty name", csv(",x,y", lambda i: f"{i},{plain(i)}"), refusal=r"column 1 without a name.*index=False"),
    Case(
        "a dash", csv("x,y", lambda i: "-,no" if i == 7 else plain(i)), refusal=r"row 9, column x: got '-'; .*data.gaps"
    ),
    Case(
        "an infinity",
        csv("x,y", lambda i: "inf,no" if i == 7 else plain(i)),
        refusal=r"row 9, column x: got '?inf.*finite",
    ),
    Case("a gap", csv("x,y", lambda i: ",no" if i == 7 else plain(i)), refusal=r"row 9, column x: got ''; a value is"),
    Case("no rows", csv("x,y", plain, num=0), refusal=r"no examples in it"),
    Case("one row", csv("x,y", plain, num=1), refusal=r"got only the label no"),
    Case(
        "days in a form unsaid",
        csv("day,x,y", lambda i: f"{1 + i % 28}/{1 + i // 28}/2021,{plain(i)}", "data.time=day"),
        refusal=r"rows 2, 3, .*column day: got '1/1/2021'; a number or an ISO date",
    ),
    Case(
        "one moment",
        csv("day,x,y", lambda i: f"2021-01-01,{plain(i)}", "data.time=day"),
        refusal=r"1 different moments; 3",
    ),
    Case(
        "a list as input", parquet({"x": pyarrow.array([[1]] * NUM), "y": LABELS}), refusal=r"column x: got type list"
    ),
    Case(
        "an input of 19 digits",
        csv("n,x,y", lambda i: f"{BIG + i},{plain(i)}"),
        refusal=rf"rows 2, 3, .*column n: got '{BIG}'; as a number it keeps 15 digits: .*data.categorical='\[n\]'",
    ),
    Case(
        "an input of 19 digits in parquet",
        parquet({"n": pyarrow.array([BIG + i for i in range(NUM)]), "x": X, "y": LABELS}),
        refusal=rf"rows 1, 2, .*column n: got {BIG}; as a number it keeps 15 digits",
    ),
    Case(
        "the last of many numbers beyond 2^53",
        csv("n,y", lambda i: f"{2**53 + 2 * i - (i == 10_500)},{CLASSES[i % 2]}", num=10_501),
        refusal=r"row 10502, column n: got '9007199254761991'; as a number it keeps 15 digits",
    ),
    Case(
        "decimals of 20 digits",
        parquet(
            {"n": pyarrow.array([f"{BIG + i}.5" for i in range(NUM)]).cast(pyarrow.decimal128(21, 2)), "y": LABELS}
        ),
        refusal=rf"rows 1, 2, .*column n: got '{BIG}.5'; as a number it keeps 15 digits",
    ),
    Case(
        "a title and a blank line",
        csv("Sales of 2021\n\nx,y", plain),
        refusal="row 1: got one name 'Sales of 2021' above 2 fields; .* remove the lines above it",
    ),
    Case(
        "a row of units",
        csv("x,y", lambda i: "cm,no" if i == 0 else plain(i)),
        refusal="row 2, column x: got 'cm'; a number is needed; remove the row if it holds names or units",
    ),
    Case(
        "a space before a quoted name",
        csv('x, "the class"', plain, "data.target='the class'"),
        refusal='row 1: got the name "the class" with its quotes: a space stands before them',
    ),
    Case(
        "a space before quoted text",
        csv("x,y", lambda i: f'{X[i]}, "{CLASSES[i % 2]}"'),
        refusal="""column y: got ' "no"'; a space stands before its quotes""",
    ),
    Case(
        "few minus signs of typesetters",
        csv("p,y", lambda i: f"{MINUS if i == 5 else ''}{i + 1}.5,{CLASSES[i % 2]}"),
        refusal="row 7, column p: .* numbers with other characters",
    ),
    Case(
        "what NumPy prints",
        csv("p,y", lambda i: f"np.float64({X[i]}),{CLASSES[i % 2]}"),
        refusal=r"got 'np.float64\(.*\)'; numbers with other characters",
    ),
    Case(
        "days without marks",
        csv("day,x,y", lambda i: f"{1 + i % 28:02d}{1 + i // 28:02d}2021,{plain(i)}", "data.time=day"),
        refusal="column day: got '01012021'; a number or an ISO date .* data.time_format",
    ),
    Case("percent", csv("p,y", lambda i: f"{i}%,{CLASSES[i % 2]}"), refusal="got '0%'; numbers with other characters"),
    Case("dollars as input", csv("p,y", lambda i: f"${i}.50,{CLASSES[i % 2]}"), refusal="with other characters: write"),
    Case(
        "dollars as target",
        csv("x,y", lambda i: f"{X[i]},${100 + i % 4}.50"),
        refusal=r"column y: got '\$100.50'; numbers with other characters: .* task=multiclass takes them as classes",
    ),
    Case(
        "minus signs of typesetters",
        csv("p,y", lambda i: f"{MINUS}{i + 1}.5,{CLASSES[i % 2]}"),
        refusal="numbers with other characters",
    ),
    Case(
        "a NUL in a label", csv("x,y", lambda i: plain(i) + "\0" * (i == 4)), refusal="row 6, column y: .* a NUL byte"
    ),
    Case(
        "Namibia",
        csv("c,x,y", lambda i: f"{['NA', 'US'][i % 2]},{plain(i)}"),
        refusal="column c: got 'NA'; a value is needed; .*NA stands for a gap, unless data.gaps='\\[\\]'",
    ),
    Case(
        "two columns of one input",
        csv("c,c=a,y", lambda i: f"{'ab'[i // 2 % 2]},{plain(i)}"),
        refusal="input c=a made of two columns; rename one",
    ),
    Case("one value as target", csv("x,y", lambda i: f"{X[i]},1.5"), refusal="got only the value 1.5"),
    Case(
        "a repeated name of 19 digits",
        csv("id,x,y", lambda i: f"{BIG + i // 2},{plain(i)}", "data.id=id"),
        refusal=r"another row",
    ),
]
