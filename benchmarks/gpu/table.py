"""The record of a card as tables for a page."""

from collections.abc import Iterator
from typing import Any

WAITS = "waits of the host"  # a section
IN_TABLES = ("speed", "equality", WAITS)  # sections with a table of their own


def tables(document: dict[str, Any]) -> str:
    """Return Markdown tables of speed, equality and the rest, for each card and commit."""
    return "\n\n".join(
        "\n".join(_of_card(card, [row for row in document["rows"] if row["on"] == key]))
        for key, card in document["cards"].items()
    )


def _of_card(card: dict[str, Any], rows: list[dict[str, Any]]) -> Iterator[str]:
    yield (
        f"{card['name']} ({card['memory_gib']} GiB), driver {card['driver']}, CUDA {card['cuda']}, "
        f"torch {card['torch']}, Python {card['python']}, {card['machine']['date']}, commit {card['commit']}:"
    )
    for section, table in (("speed", _speed), ("equality", _equality), (WAITS, _waits)):
        if chosen := _of(rows, section):
            yield from ("", *table(chosen))
    if any(row["section"] not in IN_TABLES for row in rows):
        yield from ("", *_rest(rows))


def _of(rows: list[dict[str, Any]], section: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["section"] == section]


def _speed(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| net | form | trials | µs of an update, each trial | against a loop by hand | against layer by layer |"
    yield "|---|---|---:|---:|---:|---:|"
    for row in rows:
        if "us" in row:
            figures = f"{row['us']:,.0f} | {row['against_hand']:.2f} | {row['against_layer_by_layer']:.2f}"
        else:
            figures = f"{row['failed']} | | "
        yield f"| {row['name']} | {row.get('engine', '')} | {row.get('trials', '')} | {figures} |"


def _equality(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| form | cases | largest difference in float64 | equal to the bit in float32 | failed |"
    yield "|---|---:|---:|---:|---:|"
    for engine in sorted({row["engine"] for row in rows if "engine" in row}):
        chosen = [row for row in rows if row.get("engine") == engine]
        worst = max(max(row["weights"], row["state"], row["metrics"]) for row in chosen)
        bitwise = sum(row["is_bitwise_fp32"] for row in chosen)
        yield f"| {engine} | {len(chosen)} | {worst:.0e} | {bitwise} | 0 |"
    failed = [row["name"] for row in rows if "failed" in row]
    if failed:
        yield f"| (any) | {len(failed)} | | | {', '.join(failed)} |"


def _waits(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| form | cases | in which the host waits during updates |"
    yield "|---|---:|---|"
    for engine in sorted({row["engine"] for row in rows if "engine" in row}):
        chosen = [row for row in rows if row.get("engine") == engine]
        yield f"| {engine} | {len(chosen)} | {', '.join(row['name'] for row in chosen if row['waits']) or 'none'} |"
    failed = [row["name"] for row in rows if "failed" in row]
    if failed:
        yield f"| (failed) | {len(failed)} | {', '.join(failed)} |"


def _rest(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| what | case | figures |"
    yield "|---|---|---|"
    for row in rows:
        if row["section"] not in IN_TABLES:
            figures = ", ".join(f"{key} {value}" for key, value in row.items() if key not in ("section", "name", "on"))
            yield f"| {row['section']} | {row['name']} | {figures} |"
