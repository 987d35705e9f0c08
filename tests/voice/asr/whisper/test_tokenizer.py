"""What Whisper's tokenizer files lack is mended when they are opened."""

from __future__ import annotations

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from voice.asr.whisper.tokenizer import open_tokenizer


def _folder(tmp_path, merges):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*alphabet, "Ġt", "he", "Ġthe"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    content = json.loads(tokenizer.to_str())
    content["model"]["merges"] = [" ".join(pair) for pair in merges]
    (tmp_path / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return tmp_path


def test_a_word_that_the_lost_first_merge_begins_is_one_token_again(tmp_path):
    folder = _folder(tmp_path, [("h", "e"), ("Ġt", "he")])
    assert Tokenizer.from_file(str(folder / "tokenizer.json")).encode(" the").tokens != ["Ġthe"]
    assert open_tokenizer(folder).encode(" the").tokens == ["Ġthe"]


def test_a_whole_file_stays_as_it_is(tmp_path):
    folder = _folder(tmp_path, [("Ġ", "t"), ("h", "e"), ("Ġt", "he")])
    assert open_tokenizer(folder).to_str() == Tokenizer.from_file(str(folder / "tokenizer.json")).to_str()
