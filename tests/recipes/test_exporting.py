"""What a card says of a table, and matrices in eight bits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recipes.exporting import convert_weights, rows_about


def test_rows_of_a_model_are_found_by_its_name_and_by_its_path(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    systems = ["kathleen", "runs/kathleen", str(tmp_path / "runs/kathleen"), "other/kathleen", "lj"]
    table = tmp_path / "table.json"
    table.write_text(json.dumps([{"system": system} for system in systems]))
    found = rows_about(Path("runs/kathleen"), table, "system")
    assert [row["system"] for row in found] == systems[:3]


def test_without_a_table_there_are_no_rows(tmp_path: Path) -> None:
    assert rows_about(tmp_path, None, "system") == []


def test_a_matrix_named_as_exact_is_not_multiplied_in_eight_bits() -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed; pip install '.[train]'")
    import onnxruntime

    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 16)).astype(np.float32)
    matrices = {name: rng.normal(size=(16, 16)).astype(np.float32) for name in ("kept", "coarse")}

    def results(exact: tuple[str, ...]) -> list[np.ndarray]:
        model = convert_weights(products(onnx, matrices), "int8", [{"x": x}], exact)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(["x_kept", "x_coarse"], {"x": x})

    (kept, coarse), (both, _) = results(("kept",)), results(())
    assert np.abs(kept - x @ matrices["kept"]).max() < 1e-5
    assert np.abs(both - x @ matrices["kept"]).max() > 1e-3 < np.abs(coarse - x @ matrices["coarse"]).max()


def products(onnx, matrices):
    """A model that gives x @ each of the matrices, as x_name."""
    value, float32 = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    nodes = [onnx.helper.make_node("MatMul", ["x", name], [f"x_{name}"], name) for name in matrices]
    weights = [onnx.numpy_helper.from_array(matrix, name) for name, matrix in matrices.items()]
    outputs = [value(f"x_{name}", float32, ["F", 16]) for name in matrices]
    graph = onnx.helper.make_graph(nodes, "g", [value("x", float32, ["F", 16])], outputs, weights)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=9)
