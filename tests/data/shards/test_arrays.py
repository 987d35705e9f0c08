"""Arrays on disk: written in parts, read as they are, never half."""

from __future__ import annotations

import numpy as np
import pytest

from data.shards.arrays import ArrayWriter, map_arrays

PARTS = [np.random.default_rng(n).normal(size=(n, 3)).astype(np.float16) for n in (5, 0, 7)]


def test_rows_that_are_written_in_parts_are_read_as_one_array_of_the_file(tmp_path):
    path = tmp_path / "some.npz"
    with ArrayWriter(path) as writer:
        for part in PARTS:
            writer.append(mel=part, count=np.array([len(part)]))
    found = map_arrays(path)
    assert isinstance(found["mel"], np.memmap)
    np.testing.assert_array_equal(found["mel"], np.concatenate(PARTS))
    assert found["count"].tolist() == [5, 0, 7]
    with np.load(path) as read:
        np.testing.assert_array_equal(read["mel"], np.concatenate(PARTS))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_archives_of_numpy_are_read_too(tmp_path, save):
    held = {"text": np.array(["a", "ß"]), "mel": PARTS[0], "none": np.zeros((0, 3)), "one": np.array(3.5)}
    save(tmp_path / "a.npz", **held)
    found = map_arrays(tmp_path / "a.npz")
    assert found.keys() == held.keys()
    for name, array in held.items():
        np.testing.assert_array_equal(found[name], array)


def test_an_archive_that_breaks_off_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), ArrayWriter(tmp_path / "a.npz") as writer:
        writer.append(mel=PARTS[0])
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_rows_of_another_kind_are_refused(tmp_path):
    with pytest.raises(ValueError, match="rows of mel"), ArrayWriter(tmp_path / "a.npz") as writer:
        writer.append(mel=PARTS[0])
        writer.append(mel=PARTS[0].astype(np.float32))


def test_objects_are_not_read(tmp_path):
    np.savez(tmp_path / "a.npz", some=np.array([{}], object))
    with pytest.raises(ValueError, match="objects"):
        map_arrays(tmp_path / "a.npz")
