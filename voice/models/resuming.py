"""One file over HTTP, gone on with where an earlier try broke off, and checked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from voice.models.card import sha256

TRIES = 3
PATIENCE = 30.0  # s without a byte

ReportBytes = Callable[[int], None]  # bytes of this file so far


class SourceFailed(Exception):
    """A source that did not deliver, and why, in a few words."""


def download(
    address: str, path: Path, version: str, report: ReportBytes, headers: Mapping[str, str] | None = None
) -> None:
    """Fetch the file at `address` to `path`, going on with what an earlier call has left beside it.

    `version` is the file's sha256, or its sha1 as git has it, in hexadecimal; anything else only tells one
    version from another. Raises SourceFailed, OSError where the disk is full.
    """
    if path.exists() and matches(path, version):
        return
    tag = hashlib.sha256(version.encode()).hexdigest()[:12]
    part = path.with_name(f"{path.name}.{tag}.part")
    for left in reversed(range(TRIES)):
        try:
            _append(address, part, report, headers or {})
            break
        except unreachable() as error:
            if not left:
                raise SourceFailed(f"{type(error).__name__}: {str(error)[:150]}") from error
    if not matches(part, version):
        part.unlink()
        raise SourceFailed(f"what it has as {path.name} is another file than it says (its hash differs)")
    part.replace(path)


def matches(path: Path, version: str) -> bool:
    """Tell whether a file is the one with this sha256 or git sha1; a version that is neither fits any."""
    if len(version) == 64:
        return sha256(path) == version
    if len(version) != 40:
        return True
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == version


def _append(address: str, part: Path, report: ReportBytes, headers: Mapping[str, str]) -> None:
    """Fetch what `part` lacks of the file at `address`."""
    held = part.stat().st_size if part.exists() else 0
    asked = {**headers, "Accept-Encoding": "identity", **({"Range": f"bytes={held}-"} if held else {})}
    with client() as web, web.stream("GET", address, headers=asked) as answer:
        if answer.status_code == 416:  # it is as long as it can be
            return
        answer.raise_for_status()
        begins = answer.headers.get("content-range", "")
        goes_on = answer.status_code == 206 and begins.startswith(f"bytes {held}-")
        with part.open("ab" if goes_on else "wb") as file:
            for block in answer.iter_raw(1 << 18):
                file.write(block)
                report(file.tell())


def client() -> Any:
    """Return an HTTP client that trusts the certificates of httpx, this system and pip."""
    import httpx

    trusted = httpx.create_ssl_context()
    trusted.load_default_certs()
    own = Path(os.environ.get("PIP_CERT", ""))
    if own.is_file():
        trusted.load_verify_locations(own)
    return httpx.Client(verify=trusted, follow_redirects=True, timeout=PATIENCE)


def unreachable() -> tuple[type[Exception], ...]:
    """Return the errors of a connection that fails or breaks."""
    import httpx

    return (httpx.HTTPError, httpx.InvalidURL)
