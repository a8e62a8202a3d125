"""What the parts of the interface share: who answers, how a request names things, how files and jobs are handed out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi import Path as InPath

from landbridge.show.store import Job
from landbridge.show.web import shapes
from landbridge.show.web.desk import Desk

__all__ = ["BUSY", "FILES", "NAME_LENGTH", "XLSX", "IdPath", "OnDesk", "Word", "as_file", "job_out"]

NAME_LENGTH = 120
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


OnDesk = Annotated[Desk, Depends(_desk)]
IdPath = Annotated[str, InPath(min_length=1, max_length=NAME_LENGTH)]
Word = Annotated[str, Query(min_length=1, max_length=NAME_LENGTH)]

BUSY: dict[int | str, dict[str, Any]] = {
    409: {"model": shapes.Problem, "description": "Not possible as things stand"},
}
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


def as_file(content: bytes, kind: str, name: str) -> Response:
    """Return bytes as a file to be kept."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name)
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{plain}"'})


def job_out(job: Job) -> shapes.JobOut:
    """Return a job as the interface tells it."""
    return shapes.JobOut(**{key: getattr(job, key) for key in shapes.JobOut.model_fields})
