"""Writes the JSON Schema of every document that ``--json`` prints: `python -m docs.schema`."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from dlexp.build.document import DataDocument, SummaryDocument
from dlexp.claim.document import Reproduction
from dlexp.claim.surface.document import SurfaceDocument
from dlexp.config.options import Options
from dlexp.config.schema.write import WrittenSchema
from dlexp.config.source.origin import Origins
from dlexp.config.source.project import WrittenProject
from dlexp.config.source.template import WrittenComponent
from dlexp.diagnose.document import Diagnosis
from dlexp.doctor import Finding
from dlexp.error import ErrorDocument
from dlexp.job.compare.document import Comparison, Noise
from dlexp.job.cv.check_document import Audit, CVPlan
from dlexp.job.cv.document import CVResult, CVSettingsResult
from dlexp.job.ensemble.document import EnsembleResult
from dlexp.job.event import Event
from dlexp.job.export.export import Export
from dlexp.job.inference.document import Evaluation, Predictions
from dlexp.job.report.page import Report
from dlexp.job.sweep.document import DetachedSweep, SweepPlan, SweepResult
from dlexp.job.train.document import TrainPlan, Verification
from dlexp.run.document import RunRecord, TrainResult
from dlexp.run.listing.note import NotedRun
from dlexp.run.listing.page import RunPage
from dlexp.run.listing.trash import MovedRun
from dlexp.tracking.dashboard import Address
from dlexp.tracking.sync import SentRun
from docs.generate import write

FOLDER = Path(__file__).parent / "schema"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS: dict[str, Any] = {
    "audit": Audit,
    "compare": Comparison,
    "cv": CVResult,
    "cv-dry-run": CVPlan,
    "cv-settings": CVSettingsResult,
    "data": DataDocument,
    "diagnose": Diagnosis,
    "doctor": list[Finding],
    "ensemble": EnsembleResult,
    "error": ErrorDocument,
    "eval": Evaluation,
    "event": Event,
    "export": Export,
    "init": WrittenProject,
    "new": WrittenComponent,
    "note": NotedRun,
    "noise": Noise,
    "options": Options,
    "origin": Origins,
    "predict": Predictions,
    "report": Report,
    "reproduce": Reproduction,
    "rm": list[MovedRun],
    "runs": list[RunRecord],
    "schema": WrittenSchema,
    "show": RunPage,
    "summary": SummaryDocument,
    "surface": SurfaceDocument,
    "sweep": SweepResult,
    "sweep-detach": DetachedSweep,
    "sweep-dry-run": SweepPlan,
    "sync": list[SentRun],
    "train": TrainResult,
    "train-dry-run": TrainPlan,
    "ui": Address,
    "verify": Verification,
}


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a document; fields that it does not state may be added to a document later."""
    return {"$schema": DIALECT, **TypeAdapter(DOCUMENTS[name]).json_schema()}


def text(name: str) -> str:
    """Return the content of a document's file."""
    return json.dumps(schema(name), indent=2) + "\n"


def main() -> None:
    """Write the file of each document."""
    FOLDER.mkdir(exist_ok=True)
    write({FOLDER / f"{name}.json": text(name) for name in DOCUMENTS})


if __name__ == "__main__":
    main()
