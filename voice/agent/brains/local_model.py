"""A chat model of `transformers` in a folder of this machine, with the skills as its tools.

This is the one module of the library that imports torch, and only when such a brain is chosen. A model
whose chat template has no place for tools gets none.
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

from voice.agent.brains.chat import INSTRUCTIONS, Chat, ChatLimits, ChatMessage, ModelReply
from voice.agent.brains.tools import ToolCall
from voice.agent.skills.runner import SkillRunner
from voice.agent.speculative import CommitGate
from voice.errors import BrainError, ModelDamaged, ModelMissing
from voice.places import expand_home

MOST_NEW_TOKENS = 1024  # tokens
_INSTALL = "a chat model in a folder wants torch and transformers: pip install '.[local]'"
_CALL = re.compile(
    r"<\|?tool_calls?\|?>(.*?)(?:<\|?/tool_calls?\|?>|$)|\[TOOL_CALLS\](.*)|<function=(\w+)>(.*?)</function>",
    re.S,
)
_THINKING = re.compile(r"<think>.*?(?:</think>|$)", re.S)


@dataclass(frozen=True)
class LocalModel:
    """Weights and their tokenizer, which conversations share; one is answered at a time."""

    model: Any  # a causal language model
    tokenizer: Any
    free: threading.Lock

    @classmethod
    def open(cls, folder: str | Path) -> LocalModel:
        """Load a model; nothing is downloaded.

        Raises ModelMissing if there is none or no library to run it, ModelDamaged if it does not load.
        """
        folder = expand_home(folder)
        if not (folder / "config.json").is_file():
            raise ModelMissing(f"no chat model at {folder}; give a folder with its config.json and weights")
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise ModelMissing(_INSTALL) from error
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, dtype="auto"
            )
        except Exception as error:  # whatever is wrong with the files
            raise ModelDamaged(f"the chat model at {folder} does not load: {error}"[:500]) from error
        if not tokenizer.chat_template:
            raise ModelDamaged(f"the model at {folder} has no chat template; choose one tuned for chat")
        return cls(model.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer, threading.Lock())

    @property
    def takes_tools(self) -> bool:
        """Whether the chat template can show tools to the model."""
        return "tools" in str(self.tokenizer.chat_template)

    def generate(self, prompt: str, timeout: float, stop: threading.Event) -> Iterator[str]:
        """Yield the text that the model writes after a prompt, until `stop`.

        Raises BrainError if it fails, or writes nothing for `timeout` seconds.
        """
        from transformers import TextIteratorStreamer

        streamer = TextIteratorStreamer(self.tokenizer, skip_prompt=True, timeout=timeout)
        failed: list[Exception] = []
        work = threading.Thread(target=self._generate, args=(prompt, streamer, stop, failed), daemon=True)
        work.start()
        end = self.tokenizer.eos_token or "\0"
        try:
            yield from (text.replace(end, "") for text in streamer)
        except queue.Empty:
            raise BrainError("the chat model took too long", "I am still too slow for that.") from None
        finally:
            stop.set()
        if failed:
            raise BrainError(f"the chat model failed: {failed[0]}"[:500], "My language model failed.")

    def _generate(self, prompt: str, streamer: Any, stop: threading.Event, failed: list[Exception]) -> None:
        """Generate into a streamer, in a thread of its own; an error goes into `failed`."""
        import torch

        try:
            with self.free, torch.inference_mode():
                inputs = self.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
                self.model.generate(
                    **inputs.to(self.model.device),
                    max_new_tokens=MOST_NEW_TOKENS,
                    streamer=streamer,
                    stopping_criteria=[
                        lambda ids, scores: torch.full(ids.shape[:1], stop.is_set(), device=ids.device)
                    ],
                    pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id,
                )
        except Exception as error:  # out of memory, a prompt that is too long
            failed.append(error)
            streamer.end()

    def prompt(self, talk: list[ChatMessage], tools: list[dict[str, Any]]) -> str:
        """Render a conversation by the chat template, without the oldest turns if it would be too long."""
        most = getattr(self.model.config, "max_position_embeddings", None) or 1 << 30
        talk = list(talk)
        while True:
            text = self._render(talk, tools)
            if len(talk) <= 2 or len(self.tokenizer(text)["input_ids"]) <= most - min(
                MOST_NEW_TOKENS, most // 2
            ):
                return text
            del talk[1]

    def _render(self, talk: list[ChatMessage], tools: list[dict[str, Any]]) -> str:
        def apply(messages: list[ChatMessage]) -> str:
            text = self.tokenizer.apply_chat_template(
                messages,
                tools=tools or None,
                add_generation_prompt=True,
                tokenize=False,
                enable_thinking=False,
            )
            return str(text)

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
    runner: SkillRunner | None = None,
    instructions: str = INSTRUCTIONS,
    limits: ChatLimits = ChatLimits(),
) -> Chat:
    """Return a brain of one conversation that replies with a LocalModel."""
    return Chat(partial(_ask, model, limits.first), runner, instructions, limits)


def _ask(
    model: LocalModel,
    timeout: float,
    talk: list[ChatMessage],
    tools: list[dict[str, Any]],
    gate: CommitGate,
) -> ModelReply:
    """Yield the text of one answer; return the tool calls in it."""
    stop = threading.Event()
    gate.call_at_close(stop.set)
    try:
        prompt = model.prompt([_for_template(each) for each in talk], tools if model.takes_tools else [])
    except Exception as error:  # a template may refuse anything
        raise BrainError(f"the chat template failed: {error}"[:500], "My language model failed.") from error
    written = ""
    if prompt.rstrip().endswith("<think>"):  # the model goes on inside, and closes it
        yield "<think>"
    for text in model.generate(prompt, timeout, stop):
        written += text
        yield text
    return parse_tool_calls(written)


def _for_template(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message as chat templates expect it: the arguments of calls as objects."""
    if "tool_calls" not in message:
        return message
    calls = []
    for each in message["tool_calls"]:
        try:
            arguments = json.loads(each["function"]["arguments"] or "{}")
        except ValueError:
            arguments = {}
        calls.append({**each, "function": {**each["function"], "arguments": arguments}})
    text = _CALL.split(_THINKING.sub("", message["content"]))[0]
    return {**message, "content": "" if _parse_json(text) else text.strip(), "tool_calls": calls}


def parse_tool_calls(written: str) -> tuple[ToolCall, ...]:
    """Return the tool calls in the text of a model, in any of the usual forms; others are ignored."""
    shown = _THINKING.sub("", written)
    found = []
    for match in _CALL.finditer(shown):
        if match[3]:
            found.append({"name": match[3], "arguments": _parse_json(match[4]) or {}})
        else:
            found.append(_parse_json(match[1] or match[2] or ""))
    if not found:
        found.append(_parse_json(shown))
    flat = [each for value in found for each in (value if isinstance(value, list) else [value])]
    named = [each.get("function", each) for each in flat if isinstance(each, dict)]
    return tuple(
        ToolCall(
            f"call_{number}", str(each["name"]), json.dumps(each.get("arguments", each.get("parameters", {})))
        )
        for number, each in enumerate(named)
        if isinstance(each, dict) and each.get("name")
    )


def _parse_json(text: str) -> Any:
    """Return a JSON value, or None if the text is none."""
    try:
        return json.loads(text.strip())
    except ValueError:
        return None
