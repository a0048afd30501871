"""Few rows of values in which every pair of values of two factors occurs."""

from itertools import combinations


def pairs_of(row):
    return {((i, row[i]), (j, row[j])) for i, j in combinations(range(len(row)), 2)}


def cover(factors):
    """Return rows with one value of each factor, in which every pair of values of two factors occurs: greedy."""
    missing = {
        ((i, a), (j, b)) for i, j in combinations(range(len(factors)), 2) for a in factors[i] for b in factors[j]
    }
    rows = []
    while missing:
        row = dict(min(missing))
        for place in range(len(factors)):
            if place not in row:
                gains = [newly_covered(place, value, row, missing) for value in factors[place]]
                row[place] = factors[place][gains.index(max(gains))]
        rows.append(tuple(row[place] for place in range(len(factors))))
        missing -= pairs_of(rows[-1])
    return rows


def newly_covered(place, value, row, missing):
    return sum(tuple(sorted([(place, value), other])) in missing for other in row.items())


def foremost(rows, num, size=2):
    """Return as many rows as asked for, each with most values, pairs or triples that those before lack: greedy."""
    things = {row: set(combinations(enumerate(row), size)) for row in rows}
    missing, chosen = set().union(*things.values()), []
    while len(chosen) < num:
        chosen.append(max((row for row in rows if row not in chosen), key=lambda row: len(things[row] & missing)))
        missing -= things[chosen[-1]]
    return chosen
