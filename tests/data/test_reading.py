from __future__ import annotations

import pytest

from data import reading
from data.reading import read_lines
from voice.errors import ManifestError


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Zażółć gęślą jaźń"),
        ("mac_roman", "Un café et une crème brûlée"),
        ("cp1252", "Paris–Dakar, l’été “à la carte”"),
        ("latin-1", "Der Käfer läuft über die Straße"),
        ("cp1251", "Сегодня хорошая погода на улице"),
        ("shift_jis", "こんにちは、元気ですか。今日はいい天気ですね"),
        ("gb18030", "你好世界今天天气很好我们去公园"),
        ("utf-16", "Zażółć gęślą jaźń"),
        ("utf-8-sig", "Zażółć gęślą jaźń"),
    ],
)
@pytest.mark.filterwarnings("ignore:texts that are not UTF-8")
def test_old_encodings_are_told_from_their_letters(tmp_path, encoding, text):
    path = tmp_path / "list.tsv"
    path.write_bytes(f"file\ttext\r\na.wav\t{text}\r\nb.wav\tOK\r\n".encode(encoding))
    assert list(read_lines(path)) == ["file\ttext", f"a.wav\t{text}", "b.wav\tOK"]


def test_an_encoding_that_was_guessed_is_told_once(tmp_path):
    reading._tell_once.cache_clear()
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for path in paths:
        path.write_bytes("Señor".encode("cp1252"))
    with pytest.warns(UserWarning, match="read as cp1252") as told:
        assert [list(read_lines(path)) for path in paths] == [["Señor"], ["Señor"]]
    assert len(told) == 1


@pytest.mark.parametrize("path", ["/dev/zero", "/", "/nowhere/at/all.txt"])
def test_what_is_no_file_is_an_error_at_once(path):
    from pathlib import Path

    with pytest.raises(ManifestError):
        list(read_lines(Path(path)))
