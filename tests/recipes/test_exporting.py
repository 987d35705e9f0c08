"""What a card says of a table."""

from __future__ import annotations

import json
from pathlib import Path

from recipes.exporting import rows_about


def test_rows_of_a_model_are_found_by_its_name_and_by_its_path(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    systems = ["kathleen", "runs/kathleen", str(tmp_path / "runs/kathleen"), "other/kathleen", "lj"]
    table = tmp_path / "table.json"
    table.write_text(json.dumps([{"system": system} for system in systems]))
    found = rows_about(Path("runs/kathleen"), table, "system")
    assert [row["system"] for row in found] == systems[:3]


def test_without_a_table_there_are_no_rows(tmp_path: Path) -> None:
    assert rows_about(tmp_path, None, "system") == []
