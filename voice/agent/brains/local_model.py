"""A chat model of `transformers` from a folder of this machine, with the skills as its tools.

The one place in this library that imports torch, and only when such a brain is chosen. A model
without a template for tools is told of none.
"""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from voice.agent.brains.chat import INSTRUCTIONS, Chat, ChatLimits
from voice.agent.brains.tools import Call
from voice.agent.skills.runner import SkillRunner
from voice.agent.speculative import CommitGate
from voice.errors import BrainError, ModelDamaged, ModelMissing
from voice.places import expanded

LONGEST_ANSWER = 1024  # tokens
_INSTALL = "a chat model in a folder wants torch and transformers: pip install 'voice[local]'"
_CALL = re.compile(
    r"<\|?tool_calls?\|?>(.*?)(?:<\|?/tool_calls?\|?>|$)|\[TOOL_CALLS\](.*)|<function=(\w+)>(.*?)</function>",
    re.S,
)
_THINKING = re.compile(r"<think>.*?(?:</think>|$)", re.S)


@dataclass(frozen=True)
class LocalModel:
    """Weights and their tokenizer, which conversations share; one of them is answered at a time."""

    model: Any  # a causal language model
    tokenizer: Any
    free: threading.Lock

    @classmethod
    def open(cls, folder: str | Path) -> LocalModel:
        """Loads a model; nothing is fetched.

        Raises ModelMissing where there is none or nothing that runs it, ModelDamaged where it does not load.
        """
        folder = expanded(folder)
        if not (folder / "config.json").is_file():
            raise ModelMissing(f"no chat model at {folder}; give a folder with its config.json and weights")
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise ModelMissing(_INSTALL) from error
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            model = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, dtype="auto"
            )
        except Exception as error:  # whatever is wrong with the files
            raise ModelDamaged(f"the chat model at {folder} does not load: {error}"[:500]) from error
        if not tokenizer.chat_template:
            raise ModelDamaged(f"the model at {folder} has no chat template; choose one tuned for chat")
        return cls(model.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer, threading.Lock())

    @property
    def takes_tools(self) -> bool:
        """Whether its template can show it tools."""
        return "tools" in str(self.tokenizer.chat_template)

    def texts(self, prompt: str, patience: float, stop: threading.Event) -> Iterator[str]:
        """What it writes after a prompt, until `stop`. Raises BrainError where it fails or stalls."""
        from transformers import TextIteratorStreamer

        streamer = TextIteratorStreamer(self.tokenizer, skip_prompt=True, timeout=patience)
        failed: list[Exception] = []
        work = threading.Thread(target=self._generate, args=(prompt, streamer, stop, failed), daemon=True)
        work.start()
        ended = self.tokenizer.eos_token or "\0"
        try:
            yield from (text.replace(ended, "") for text in streamer)
        except queue.Empty:
            raise BrainError("the chat model took too long", "I am still too slow for that.") from None
        finally:
            stop.set()
        if failed:
            raise BrainError(f"the chat model failed: {failed[0]}"[:500], "My language model failed.")

    def _generate(self, prompt: str, streamer: Any, stop: threading.Event, failed: list[Exception]) -> None:
        import torch

        try:
            with self.free, torch.inference_mode():
                given = self.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
                self.model.generate(
                    **given.to(self.model.device),
                    max_new_tokens=LONGEST_ANSWER,
                    streamer=streamer,
                    stopping_criteria=[
                        lambda ids, scores: torch.full(ids.shape[:1], stop.is_set(), device=ids.device)
                    ],
                    pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id,
                )
        except Exception as error:  # out of memory, a prompt that is too long
            failed.append(error)
            streamer.end()

    def prompt(self, talk: list[dict], tools: list[dict]) -> str:
        """A conversation as its template writes it, without the oldest turns where it would be too long."""
        most = getattr(self.model.config, "max_position_embeddings", None) or 1 << 30
        talk = list(talk)
        while True:
            text = self._rendered(talk, tools)
            if len(talk) <= 2 or len(self.tokenizer(text)["input_ids"]) <= most - min(
                LONGEST_ANSWER, most // 2
            ):
                return text
            del talk[1]

    def _rendered(self, talk: list[dict], tools: list[dict]) -> str:
        def apply(messages: list[dict]) -> str:
            return self.tokenizer.apply_chat_template(
                messages,
                tools=tools or None,
                add_generation_prompt=True,
                tokenize=False,
                enable_thinking=False,
            )

        try:
            return apply(talk)
        except Exception:  # a template without a place for instructions
            if talk[0]["role"] != "system" or len(talk) < 2:
                raise
            first = {**talk[1], "content": f"{talk[0]['content']}\n\n{talk[1]['content']}"}
            return apply([first, *talk[2:]])


def local_brain(
    model: LocalModel,
    *,
    desk: SkillRunner | None = None,
    instructions: str = INSTRUCTIONS,
    limits: ChatLimits = ChatLimits(),
) -> Chat:
    """A brain of one conversation that thinks with a LocalModel."""
    return Chat(partial(_ask, model, limits.first), desk, instructions, limits)


def _ask(
    model: LocalModel, patience: float, talk: list[dict], tools: list[dict], turn: CommitGate
) -> Iterator[str]:
    """One answer; the value is the tools that are called in it."""
    stop = threading.Event()
    turn.call_at_close(stop.set)
    try:
        prompt = model.prompt([_readable(each) for each in talk], tools if model.takes_tools else [])
    except Exception as error:  # a template may refuse anything
        raise BrainError(f"the chat template failed: {error}"[:500], "My language model failed.") from error
    written = ""
    if prompt.rstrip().endswith("<think>"):  # the model goes on inside, and closes it
        yield "<think>"
    for text in model.texts(prompt, patience, stop):
        written += text
        yield text
    return calls_in(written)


def _readable(message: dict[str, Any]) -> dict[str, Any]:
    """A message as templates expect it: the arguments of calls as objects."""
    if "tool_calls" not in message:
        return message
    calls = []
    for each in message["tool_calls"]:
        try:
            arguments = json.loads(each["function"]["arguments"] or "{}")
        except ValueError:
            arguments = {}
        calls.append({**each, "function": {**each["function"], "arguments": arguments}})
    said = _CALL.split(_THINKING.sub("", message["content"]))[0]
    return {**message, "content": "" if _json(said) else said.strip(), "tool_calls": calls}


def calls_in(written: str) -> tuple[Call, ...]:
    """The tool calls in what a model wrote, in any of the usual forms; what cannot be read is none."""
    shown = _THINKING.sub("", written)
    found = []
    for match in _CALL.finditer(shown):
        if match[3]:
            found.append({"name": match[3], "arguments": _json(match[4]) or {}})
        else:
            found.append(_json(match[1] or match[2] or ""))
    if not found:
        found.append(_json(shown))
    flat = [each for value in found for each in (value if isinstance(value, list) else [value])]
    named = [each.get("function", each) for each in flat if isinstance(each, dict)]
    return tuple(
        Call(
            f"call_{number}", str(each["name"]), json.dumps(each.get("arguments", each.get("parameters", {})))
        )
        for number, each in enumerate(named)
        if isinstance(each, dict) and each.get("name")
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text.strip())
    except ValueError:
        return None
