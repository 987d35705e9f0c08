import numpy as np
import soundfile

from recipes.recordings import list_recordings
from voice.manifest import read_manifest


def test_what_is_left_out_is_printed_with_its_reason(tmp_path, capsys):
    source = tmp_path / "source"
    source.mkdir()
    soundfile.write(source / "good.wav", np.full(16_000, 0.1), 16_000)
    (source / "torn.wav").write_bytes(b"RIFF")
    prepared = list_recordings(source, tmp_path / "out.jsonl")
    told = capsys.readouterr().out
    assert len(read_manifest(tmp_path / "out.jsonl")) == 1
    assert "left out 1 recordings" in told and str(prepared.report) in told
    assert prepared.report and "torn.wav" in prepared.report.read_text("utf-8")
