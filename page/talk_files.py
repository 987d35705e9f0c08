"""The files of the Talk tab, as the browser fetches them."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse

from page.markup import HERE

TYPES = {".js": "text/javascript", ".css": "text/css"}


def add_files(server: FastAPI) -> None:
    """Serve page/talk below /talk."""
    server.add_api_route("/talk/{name}", talk_file, include_in_schema=False)


def talk_file(name: str) -> FileResponse:
    """Return one file; the browser asks each time whether it has changed, as modules belong together."""
    known = {path.name: path for path in (HERE / "talk").iterdir() if path.suffix in TYPES}
    if name not in known:
        raise HTTPException(404)
    path = known[name]
    return FileResponse(path, media_type=TYPES[path.suffix], headers={"Cache-Control": "no-cache"})
