"""Arrays on disk that are longer than memory: written row after row, read back as maps of the file.

The file is NumPy's own `.npz`, not compressed, so that `np.load` reads it too; in such a file every array
lies as it is in memory, and can be mapped where it lies.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
import zipfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # of a file inside of a zip archive
COPIED = 2**24  # bytes at once


def map_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an `.npz` by name; those that are stored as they are stay on the disk until used.

    They are read-only. Raises OSError or ValueError where the file is no such archive.
    """
    found: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if member.compress_type == zipfile.ZIP_STORED:
                found[name] = _map_member(path, file, member)
            else:
                with archive.open(member) as inside:
                    found[name] = npy.read_array(inside)
    return found


def _map_member(path: Path, file: IO[bytes], member: zipfile.ZipInfo) -> np.ndarray:
    """Return one member as a map; an empty one as an array, for nothing cannot be mapped."""
    file.seek(member.header_offset)
    *_, name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    file.seek(member.header_offset + LOCAL_HEADER.size + name + extra)
    version = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError(f"{path} holds objects, which are not read")
    if 0 in shape:
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran else "C")


class ArrayWriter:
    """Writes the arrays of an `.npz` a few rows at a time; the file appears when all of them are there.

        with ArrayWriter(path) as writer:
            for clip in clips:
                writer.append(mel=..., f0=...)

    Every call gives rows (N, …) for the arrays that it names, of one type and row shape for each name.
    Leaving by an error leaves nothing under `path`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: dict[str, IO[bytes]] = {}
        self._kinds: dict[str, tuple[np.dtype[np.generic], tuple[int, ...]]] = {}
        self._rows: dict[str, int] = {}

    def __enter__(self) -> ArrayWriter:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self

    def append(self, **rows: np.ndarray) -> None:
        """Add rows to arrays. Raises ValueError where they do not fit those before."""
        for name, added in rows.items():
            added = np.ascontiguousarray(added)
            kind = added.dtype, added.shape[1:]
            if name not in self._files:
                self._files[name] = tempfile.TemporaryFile(dir=self.path.parent)
                self._kinds[name], self._rows[name] = kind, 0
            if kind != self._kinds[name]:
                raise ValueError(f"rows of {name} are {kind}, those before were {self._kinds[name]}")
            self._files[name].write(added.data.cast("B") if added.size else b"")
            self._rows[name] += len(added)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._assemble()
        finally:
            for file in self._files.values():
                file.close()

    def _assemble(self) -> None:
        """Write the archive beside its place, whole, then give it its name."""
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
                for name, file in self._files.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        npy.write_array_header_2_0(member, self._header(name))
                        file.seek(0)
                        shutil.copyfileobj(file, member, COPIED)
            os.replace(beside, self.path)
        finally:
            beside.unlink(missing_ok=True)

    def _header(self, name: str) -> dict[str, Any]:
        dtype, shape = self._kinds[name]
        described = npy.dtype_to_descr(dtype)
        return {"descr": described, "fortran_order": False, "shape": (self._rows[name], *shape)}
