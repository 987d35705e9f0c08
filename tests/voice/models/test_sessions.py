from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voice.models.sessions import session_of

onnx = pytest.importorskip("onnx", reason="onnx is not installed; pip install '.[train]'")


@pytest.mark.parametrize(
    "named", ["private.bin", "{folder}/private.bin", "../{name}/private.bin", "*/_ORT_MEM_ADDR_/*"]
)
def test_a_graph_takes_no_weights_from_other_files_or_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    numbers = np.arange(4, dtype=np.float32)
    Path("private.bin").write_bytes(numbers.tobytes())
    place = named.format(folder=tmp_path, name=tmp_path.name)
    weight = onnx.TensorProto(
        name="w", data_type=onnx.TensorProto.FLOAT, dims=[4], data_location=onnx.TensorProto.EXTERNAL
    )
    weight.external_data.add(key="location", value=place)
    weight.external_data.add(key="offset", value=str(numbers.ctypes.data if "MEM" in named else 0))
    kind = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [4])
    nodes = [onnx.helper.make_node("Add", ["x", "w"], ["y"])]
    given = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [4])
    graph = onnx.helper.make_graph(nodes, "reader", [given], [kind], [weight])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    with pytest.raises(Exception, match="[Ee]xternal|voice-reads-no-weights"):
        session_of(model.SerializeToString(), threads=1)
