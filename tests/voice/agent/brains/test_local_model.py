"""A chat model from a folder: a tiny one, made here, that has learnt two answers by heart."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from voice.agent.brains.choice import Brains, Choice
from voice.agent.brains.local_model import LocalModel, local_brain, parse_tool_calls
from voice.agent.skills.everyday import everyday_skills
from voice.agent.skills.runner import SkillRunner
from voice.agent.speculative import prepare
from voice.agent.timers import Timers
from voice.errors import ModelDamaged, ModelMissing
from voice.types import Message

TEMPLATE = (
    "{% for m in messages if m.role != 'system' %}{{ m.role[0] }}{{ m.content }}\n{% endfor %}>"  # one a line
)
WITH_TOOLS = TEMPLATE + "{% if tools %}{% endif %}"
ASKED = "uTime?\n>"
CALLED = '<tool_call>{"name": "time", "arguments": {}}</tool_call>'
LEARNT = {
    ASKED: CALLED,
    "uTime?\na\ntIt's 3:05 PM.\n>": "It is three.",
    "uHello?\n>": "Hello there, friend.",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model of two small layers over single characters."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    torch.manual_seed(0)
    marks = sorted({mark for pair in LEARNT.items() for text in pair for mark in text})
    vocabulary = {mark: number for number, mark in enumerate(["<end>", "<unknown>", *marks])}
    letters = Tokenizer(models.WordLevel(vocabulary, unk_token="<unknown>"))
    letters.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    letters.decoder = decoders.Fuse()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=letters, eos_token="<end>", unk_token="<unknown>", chat_template=WITH_TOOLS
    )
    shape = transformers.LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=512,
        eos_token_id=0,
        bos_token_id=None,
        pad_token_id=None,
    )
    model = transformers.LlamaForCausalLM(shape)
    _learn(torch, model, tokenizer)
    home = tmp_path_factory.mktemp("model")
    model.save_pretrained(home)
    tokenizer.save_pretrained(home)
    return home


def _learn(torch, model, tokenizer) -> None:
    """Until the model knows its answers by heart."""
    asked = [tokenizer(prompt)["input_ids"] for prompt in LEARNT]
    answers = [[*tokenizer(answer)["input_ids"], 0] for answer in LEARNT.values()]
    longest = max(len(prompt) + len(answer) for prompt, answer in zip(asked, answers, strict=True))
    ids, labels = torch.zeros(2, len(asked), longest, dtype=torch.long)
    labels -= 100
    for row, (prompt, answer) in enumerate(zip(asked, answers, strict=True)):
        ids[row, : len(prompt) + len(answer)] = torch.tensor([*prompt, *answer])
        labels[row, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(300):
        loss = model(input_ids=ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.01:
            return
    raise AssertionError(f"not learnt: the loss is still {loss:.2f}")


@pytest.fixture(scope="module")
def model(folder: Path) -> LocalModel:
    return LocalModel.open(folder)


def test_it_answers_in_pieces(model: LocalModel) -> None:
    pieces = list(local_brain(model).reply([Message("user", "Hello?")]))
    assert "".join(pieces) == "Hello there, friend."
    assert len(pieces) > 1


def test_it_calls_a_skill_and_answers_from_its_result(model: LocalModel) -> None:
    runner = SkillRunner(everyday_skills(), clock=lambda: datetime(2026, 11, 22, 15, 5))
    said = "".join(local_brain(model, runner=runner).reply([Message("user", "Time?")]))
    assert said.endswith("It is three.")


def test_a_model_whose_template_knows_no_tools_is_told_of_none(model: LocalModel) -> None:
    assert model.takes_tools
    model.tokenizer.chat_template = TEMPLATE
    try:
        assert not model.takes_tools
        assert "".join(
            local_brain(model, runner=SkillRunner(everyday_skills())).reply([Message("user", "Hello?")])
        )
    finally:
        model.tokenizer.chat_template = WITH_TOOLS


def test_an_answer_thrown_away_frees_the_model(model: LocalModel) -> None:
    thought = prepare(local_brain(model), [Message("user", "Hello?")])
    next(thought)
    thought.close()
    assert model.free.acquire(timeout=5)
    model.free.release()


def test_a_long_conversation_is_shortened_to_what_fits(model: LocalModel) -> None:
    talk = [{"role": "system", "content": "x"}]
    talk += [{"role": "user", "content": f"Number {number}."} for number in range(200)]
    prompt = model.prompt(talk, [])
    assert prompt.endswith("uNumber 199.\n>") and len(prompt) <= 256


def test_a_folder_is_a_brain_for_conversations(folder: Path, tmp_path: Path) -> None:
    brains = Brains(Choice(str(folder), notes=tmp_path / "notes.md"))
    said = "".join(brains.brain(Timers()).reply([Message("user", "Hello?")]))
    assert said == "Hello there, friend."


def test_what_is_no_model_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no chat model"):
        LocalModel.open(tmp_path)
    pytest.importorskip("transformers")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelDamaged, match="does not load"):
        LocalModel.open(tmp_path)


@pytest.mark.parametrize(
    "written",
    [
        'Sure. <tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>',
        '<tool_call>{"name": "f", "arguments": {"a": 1}}',
        '[TOOL_CALLS] [{"name": "f", "arguments": {"a": 1}}]',
        '{"name": "f", "parameters": {"a": 1}}',
        '[{"function": {"name": "f", "arguments": {"a": 1}}}]',
        '<function=f>{"a": 1}</function>',
        '<think>{"name": "g"}</think>{"name": "f", "arguments": {"a": 1}}',
    ],
)
def test_calls_are_read_in_the_usual_forms(written: str) -> None:
    assert [(each.name, each.arguments) for each in parse_tool_calls(written)] == [("f", '{"a": 1}')]


@pytest.mark.parametrize(
    "written", ["", "Hello.", "{broken", "[1, 2]", "<tool_call>x</tool_call>", '{"size": 1}']
)
def test_what_is_no_call_is_none(written: str) -> None:
    assert parse_tool_calls(written) == ()


def test_a_folder_with_code_of_its_own_does_not_run_it_nor_ask_whether_to(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    program = f"open({str(tmp_path / 'touched')!r}, 'w')\n"
    (tmp_path / "evil.py").write_text(program + "class Config: pass\nclass Model: pass\n")
    maps = '"auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}'
    (tmp_path / "config.json").write_text(f'{{"model_type": "evil", {maps}}}')
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    with pytest.raises(ModelDamaged):
        LocalModel.open(tmp_path)
    assert not (tmp_path / "touched").exists()
