"""What MLflow's page says of a run in words: what came of a sweep or cv, with links, the command and the folder."""

from collections.abc import Iterator, Mapping
from typing import Any

from dlexp.number import noun, significant
from dlexp.run.folder import RunFolder

MOST_LINKS = 30  # to folds


def describe(folder: RunFolder, manifest: dict[str, Any], links: Mapping[str, str]) -> str:
    """Return the note, in Markdown.

    Args:
        folder: The run's.
        manifest: See `dlexp.tracking.content.facts`.
        links: Addresses of the pages of the trials, folds or settings inside, by their ids.
    """
    result = folder.result or {}
    kind = manifest.get("kind")
    if kind == "sweep":
        said = list(_of_sweep(result, links))
    elif kind == "cv":
        said = list(_of_settings(result, links) if "settings" in result else _of_folds(result, links))
    else:
        said = []
    return "\n\n".join([*said, f"`{manifest.get('command')}`", f"Run folder: `{folder.path}`"])


def link(name: str, run_id: str, links: Mapping[str, str]) -> str:
    """Return a name that leads to a run's page; the bare name where there is none."""
    return f"[{name}]({links[run_id]})" if run_id in links else name


def _setting(overrides: Mapping[str, Any]) -> str:
    return " ".join(f"`{key}={value}`" for key, value in overrides.items())


def _of_sweep(result: dict[str, Any], links: Mapping[str, str]) -> Iterator[str]:
    best = result.get("best")
    if best is None:
        return
    of_best = [trial for trial in result["trials"] if trial["number"] == best["number"] and trial["run_id"]]
    named = ", ".join(link(trial["run_id"], trial["run_id"], links) for trial in of_best)
    setting = _setting(of_best[0]["overrides"]) if of_best else ""
    mean = "" if len(of_best) < 2 else f", the mean of {noun(len(of_best), 'seed')}"
    yield f"**Winner: {named}** {setting}: {result['metric']} **{significant(best['value'])}**{mean}"
    if "corrected" in best:
        yield f"Corrected for being picked: {significant(best['corrected'])}"


def _of_settings(result: dict[str, Any], links: Mapping[str, str]) -> Iterator[str]:
    best = result["settings"][0]
    if best["value"] is None:
        return
    name, setting = link(best["run_id"], best["run_id"], links), _setting(best["overrides"])
    yield f"**Best setting: {name}** {setting}: {result['metric']} **{significant(best['value'])}** over the folds"


def _of_folds(result: dict[str, Any], links: Mapping[str, str]) -> Iterator[str]:
    metric, folds = result.get("metric"), result.get("folds", [])
    mean = result.get("mean", {}).get(metric)
    if mean is not None:
        low, high = result.get("interval_corrected", {}).get(metric) or (None, None)
        between = "" if low is None or high is None else f", 95 % interval {significant(low)} to {significant(high)}"
        spread = f"± {significant(result['std'][metric])} over {noun(len(folds), 'fold')}"
        yield f"**{metric} {significant(mean)}** {spread}{between}"
    shown = folds[:MOST_LINKS]
    if shown:
        named = ", ".join(link(f"{fold['repeat'] + 1}.{fold['fold'] + 1}", fold["run_id"], links) for fold in shown)
        yield f"Folds (repeat.fold): {named}{', ...' if len(folds) > len(shown) else ''}"
