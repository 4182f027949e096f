"""Hold the forms in which models write tool calls, as data: a new form is a new line here.

A response holds text and blocks of calls. A block is any number of opening marks, then calls, then
whatever closes them:

    block = (MARK | fence | "[")* call ((separator | MARK | CLOSER | fence)* call)* CLOSER*
    call  = HEAD arguments
          | JSON object that names a tool and its arguments

``MARKS`` say that calls follow. ``HEADS`` are the forms that write the tool's name outside of JSON:
what stands around the name, and how the arguments follow. ``CLOSERS`` stand after calls and mean
nothing by themselves. ``TURNS`` begin somebody else's turn: a model that goes on after its calls
with what a tool or the user says has made that up. The keys of a JSON call are at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ARGUMENT_KEYS",
    "CALL_LIST_KEYS",
    "CALL_TYPES",
    "CLOSERS",
    "CODE_MARKS",
    "FENCES",
    "HEADS",
    "ID_END",
    "ID_MARK",
    "LINE_HEADS",
    "MARKING_FENCES",
    "MARKS",
    "MESSAGE_KEYS",
    "NAME_KEYS",
    "OTHER_KEYS",
    "PREFIXES",
    "SILENT_MARKS",
    "SPECIAL_MARKS",
    "THOUGHTS",
    "TURNS",
    "XML_CLOSERS",
    "XML_PARAMETERS",
    "Head",
]

SILENT_MARKS = (
    "<|start_header_id|>assistant<|end_header_id|>",  # headers that the server left in
    "<|header_start|>assistant<|header_end|>",
    "<|im_start|>assistant",
    "<|begin_of_text|>",
    "<|eot_id|>",
    "<s>",
)
"""Marks that may precede any response, so that they do not say that a call follows."""

MARKS = (
    "<tool_call>",  # Hermes, Qwen, Granite 3.1
    "<tool_call >",
    "<TOOL_CALL>",
    "<tool_calls>",  # Jamba, MiniMax, Hunyuan
    "<tools>",  # Qwen 2.5, which confuses it with the mark of definitions
    "<|python_tag|>",  # Llama 3.1
    "<|python_start|>",  # Llama 4
    "[TOOL_CALLS]",  # Mistral
    "[TOOL_CALL]",
    "<|tool_call|>",  # Phi 4, Granite 3.0
    "<|tool_calls|>",
    "<|tool_call_start|>",  # LFM 2
    "<|tool_call_begin|>",  # Kimi K2
    "<|tool_calls_section_begin|>",
    "<function_call>",  # Granite 20B
    "<function_calls>",  # OLMo 3
    "<functioncall>",  # Glaive, Firefunction
    "<functions>",
    "<tool>",
    "<tool_use>",
    "<json>",
    "<TOOLCALL>",  # Nemotron
    "<|action_start|><|plugin|>",  # InternLM 2
    "<|START_ACTION|>",  # Command R7B
    "<seed:tool_call>",
    "<minimax:tool_call>",
    "<\uff5ctool\u2581calls\u2581begin\uff5c>",  # DeepSeek
    "<\uff5ctool\u2581call\u2581begin\uff5c>function<\uff5ctool\u2581sep\uff5c>",
    "<\uff5ctool\u2581call\u2581begin\uff5c>",
    "functools",  # Phi 4 mini; only where a list follows
    *SILENT_MARKS,
)

CODE_MARKS = ("<|python_tag|>", "<|python_start|>", "tool_code")
"""Marks, and languages of fences, after which code may follow, too, with functions of its own."""

SPECIAL_MARKS = ("[TOOL_CALLS]", "<|tool_call|>", "<|tool_calls|>")
"""Marks that are dropped where a response begins with them and no call follows."""


ID_MARK, ID_END = "[CALL_ID]", "[ARGS]"
"""What may stand between a name and its arguments, around an id that means nothing here."""


@dataclass(frozen=True, slots=True)
class Head:
    """Hold a form that writes the tool's name outside of JSON.

    Args:
        before: What precedes the name.
        after: What follows the name.
        arguments: How the arguments follow: as a JSON object, as those of a Python call, or as
            XML elements.
        needs_mark: Whether a mark must precede it, since it could be text otherwise.
    """

    before: str
    after: str
    arguments: Literal["json", "python", "xml"]
    needs_mark: bool = False

    @property
    def marks_itself(self) -> bool:
        """Whether the form is certainly that of a call, whatever the name."""
        return self.before.startswith("<")


HEADS = (
    Head('<function="', '">', "xml"),
    Head("<function=", ">", "xml"),  # Llama 3.1, Qwen 3 Coder: JSON or XML parameters
    Head('<function name="', '">', "xml"),
    Head('<tool_call name="', '">', "xml"),
    Head('<function_call name="', '">', "xml"),
    Head('<invoke name="', '">', "xml"),  # MiniMax M2, Claude
    Head(">>>", "\n", "json"),  # Functionary
    Head("<|channel|>commentary to=", "<|constrain|>json<|message|>", "json"),  # gpt-oss
    Head("<|channel|>commentary to=", "<|message|>", "json"),
    Head("", "[ARGS]", "json"),  # Mistral Small 3
    Head("", ID_MARK, "json"),  # Mistral Small 3.2: an id, and then as above
    Head("", "<\uff5ctool\u2581sep\uff5c>", "json"),  # DeepSeek 3.1
    Head("", "<|tool_call_argument_begin|>", "json"),  # Kimi K2
    Head("", ".call", "python"),  # Llama 3.1's built-in tools
    Head("", "(", "python"),  # Llama 3.2, Llama 4, Gemma
    Head("print(", "(", "python", needs_mark=True),  # Gemma
    Head("call:", "{", "json", needs_mark=True),
    Head("", "{", "json"),  # Mistral Small 3
    Head("", "\n", "xml", needs_mark=True),  # GLM 4, DeepSeek 3: a new line, a fence, GLM's XML
)

PREFIXES = ("functions", "function", "tools", "tool", "default_api")
"""What may precede a name that stands outside of JSON, with a dot, a slash or a colon."""

LINE_HEADS = (Head("Action:", "\nAction Input:", "json"),)
"""Forms that may begin in any line of a text, with white space around the name: ReAct."""

XML_PARAMETERS = (
    (re.compile(r"<parameter=([^<>\n]{1,200})>"), "</parameter>"),
    (re.compile(r'<parameter name="([^"<>\n]{1,200})"[^<>\n]{0,100}>'), "</parameter>"),
    (re.compile(r"<arg_key>([^<>\n]{1,200})</arg_key>\s*<arg_value>"), "</arg_value>"),
)
"""How a parameter is written in XML: what opens it, with its name, and what closes it."""

XML_CLOSERS = ("</function>", "</invoke>", "</tool_call>")
"""What ends a call whose parameters are XML."""

FENCES = frozenset(
    ["", "json", "json5", "jsonc", "tool_call", "tool_calls", "tool_code", "function_call"]
)
"""The languages of code fences that may hold calls; a fence of another language holds code."""

MARKING_FENCES = frozenset(["tool_call", "tool_calls", "tool_code", "function_call"])
"""Fences that say that calls follow, as marks do."""

CLOSERS = (
    "</tool_call>",
    "</tool_calls>",
    "</tools>",
    "</TOOL_CALL>",
    "</tool_response>",
    "</functions>",
    "</tool>",
    "</tool_use>",
    "</json>",
    "</function>",
    "</function_call>",
    "</function_calls>",
    "</functioncall>",
    "</invoke>",
    "</TOOLCALL>",
    "</seed:tool_call>",
    "</minimax:tool_call>",
    "<|/tool_call|>",
    "<|/tool_calls|>",
    "<|tool_call_end|>",
    "<|tool_calls_section_end|>",
    "<|python_end|>",
    "<|action_end|>",
    "<|END_ACTION|>",
    "<\uff5ctool\u2581call\u2581end\uff5c>",
    "<\uff5ctool\u2581calls\u2581end\uff5c>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|call|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot|>",
    "<|return|>",
    "<end_of_turn>",
    "<eos>",
    "<pad>",
    "</s>",
    "[/INST]",
    "[/TOOL_CALLS]",
    "[/TOOL_CALL]",
)

TURNS = (
    "<|user|>",
    "<|assistant|>",
    "<|system|>",
    "<|tool|>",
    "<|observation|>",
    "<|im_start|>",
    "<|start_header_id|>",
    "<start_of_turn>",
    "<tool_response>",
    "[TOOL_RESULTS]",
    "[INST]",
    "```tool_output",
    "Observation:",
)

THOUGHTS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",
    "[THINK]": "[/THINK]",
}
"""What opens thoughts at the beginning of a response, and what closes them."""

NAME_KEYS = ("name", "tool", "tool_name", "function", "function_name", "action", "method")
ARGUMENT_KEYS = (
    "parameters",
    "arguments",
    "args",
    "params",
    "input",
    "tool_input",
    "action_input",
    "tool_args",
    "tool_arguments",
    "kwargs",
)
MESSAGE_KEYS = ("role", "content")
"""What may stand beside a list of calls: models copy the messages of OpenAI's API."""

OTHER_KEYS = (
    *("type", "id", "index", "call_id", "tool_call_id", "jsonrpc"),
    *("reason", "reasoning", "thought", "thoughts", "explanation", "rationale"),
)
"""What may stand beside name and arguments without a mark; any other key makes it an answer."""

CALL_LIST_KEYS = ("tool_calls", "function_calls", "function_call", "tool_call")
"""The keys of an object that holds calls."""

CALL_TYPES = ("function", "function_call", "tool_call", "tool_use", "tool")
