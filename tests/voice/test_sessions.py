from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voice.models.sessions import session_of

onnx = pytest.importorskip("onnx", reason="onnx is not installed; pip install '.[train]'")


def test_a_graph_takes_no_weights_from_files_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("private.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    weight = onnx.TensorProto(
        name="w", data_type=onnx.TensorProto.FLOAT, dims=[4], data_location=onnx.TensorProto.EXTERNAL
    )
    weight.external_data.add(key="location", value="private.bin")
    kind = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [4])
    nodes = [onnx.helper.make_node("Add", ["x", "w"], ["y"])]
    given = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [4])
    graph = onnx.helper.make_graph(nodes, "reader", [given], [kind], [weight])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    with pytest.raises(Exception, match="voice-reads-no-weights"):
        session_of(model.SerializeToString(), threads=1)
