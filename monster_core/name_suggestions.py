"""Say what an unknown name was probably meant to be, or what to use instead of it."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest_name", "unknown_argument", "unknown_name"]

_INSTEAD = {
    "additional_kwargs": ("model_kwargs",),
    "api_base": ("base_url",),
    "api_url": ("base_url", "api_base"),
    "async_http_client": ("http_async_client",),
    "base_url": ("api_base",),
    "default_timeout": ("timeout",),
    "guided_backend": ("guided_decoding_backend",),
    "http_async_client": ("async_http_client",),
    "max_completion_tokens": ("max_tokens",),
    "max_length": ("max_tokens",),
    "max_new_tokens": ("max_tokens",),
    "max_output_tokens": ("max_tokens",),
    "max_tokens_to_sample": ("max_tokens",),
    "model_id": ("model",),
    "model_kwargs": ("additional_kwargs",),
    "model_name": ("model",),
    "num_predict": ("max_tokens",),
    "num_return_sequences": ("n",),
    "openai_api_base": ("base_url", "api_base"),
    "openai_api_key": ("api_key",),
    "openai_base_url": ("base_url", "api_base"),
    "random_seed": ("seed",),
    "repeat_penalty": ("repetition_penalty",),
    "request_timeout": ("timeout",),
    "stop_sequences": ("stop",),
    "stop_token": ("stop",),
    "stop_words": ("stop",),
}
"""What other packages call arguments of ours; of several the first that is known counts."""

_NO_SUCH_FIELD = "the server has no such field. Leave it out."
_LATER_FIELD = (
    "vLLM 0.5 has no such field. Leave it out, or pass it in a call where server= names a release "
    "that has it."
)
_ADVICE = {
    "api_version": _NO_SUCH_FIELD,
    "audio": _NO_SUCH_FIELD,
    "audio_config": _NO_SUCH_FIELD,
    "bad_words": _LATER_FIELD,
    "betas": _NO_SUCH_FIELD,
    "callback_manager": "pass callbacks in the config of a call, or to the model.",
    "callbacks": "set the model's callback_manager (LlamaIndex).",
    "chat_template": _LATER_FIELD,
    "chat_template_kwargs": _LATER_FIELD,
    "context_window": "call discover_model_profile(), or set max_input_tokens in profile.",
    "do_sample": "set temperature=0 for the likeliest tokens only.",
    "documents": "put the documents into the conversation.",
    "extra_body": "pass its fields in model_kwargs (LangChain) or additional_kwargs (LlamaIndex).",
    "extra_query": "put the query into the address of a proxy; the base URL takes none.",
    "format": "use response_format, or guided_json.",
    "function_call": "use tool_choice, with the functions in tools (bind_tools in LangChain).",
    "functions": "use tools (bind_tools in LangChain); each function becomes a tool.",
    "include": _NO_SUCH_FIELD,
    "input": "the conversation is the input of the call.",
    "instructions": "begin the conversation with a system message.",
    "is_chat_model": "every model is a chat model here. Leave it out.",
    "is_function_calling_model": "every model is offered tools here. Leave it out.",
    "keep_alive": _NO_SUCH_FIELD,
    "max_input_tokens": "set it in profile (LangChain), or context_window (LlamaIndex).",
    "metadata": _NO_SUCH_FIELD,
    "mirostat": _NO_SUCH_FIELD,
    "modalities": _NO_SUCH_FIELD,
    "num_ctx": "the context window is the server's; shorten the conversation to fit it.",
    "openai_organization": "send it as a header, in default_headers, if your gateway wants it.",
    "openai_proxy": "set HTTPS_PROXY, or pass an http_client that uses the proxy.",
    "organization": "send it as a header, in default_headers, if your gateway wants it.",
    "prediction": _NO_SUCH_FIELD,
    "previous_response_id": _NO_SUCH_FIELD,
    "prompt": "the conversation is the input of the call.",
    "prompt_cache_key": _NO_SUCH_FIELD,
    "prompt_logprobs": _LATER_FIELD,
    "priority": _LATER_FIELD,
    "proxies": "set HTTPS_PROXY, or pass an http_client that uses the proxy.",
    "proxy": "set HTTPS_PROXY, or pass an http_client that uses the proxy.",
    "reasoning": _NO_SUCH_FIELD,
    "reasoning_effort": _LATER_FIELD,
    "reuse_client": "a model always keeps its connections. Leave it out.",
    "safe_prompt": "begin the conversation with a system message of your own.",
    "safety_identifier": "use user for the id of your end user.",
    "service_tier": _NO_SUCH_FIELD,
    "should_use_structured_outputs": "structured output always follows its schema. Leave it out.",
    "store": _NO_SUCH_FIELD,
    "stream": "call a method that streams.",
    "streaming": "call a method that streams.",
    "strict": "a forced call and structured output always follow their schema. Leave it out.",
    "structured_outputs": "use guided_json, guided_regex, guided_choice or guided_grammar.",
    "system": "begin the conversation with a system message.",
    "system_prompt": "begin the conversation with a system message.",
    "text": "use response_format, or guided_json.",
    "tfs_z": _NO_SUCH_FIELD,
    "thinking": _NO_SUCH_FIELD,
    "tokenizer": "set llama_index.core.Settings.tokenizer, which LlamaIndex counts with.",
    "tool_required": "set tool_choice to 'required' (or pass tool_required to chat_with_tools).",
    "top_a": _NO_SUCH_FIELD,
    "truncate_prompt_tokens": "shorten the conversation to fit the context window.",
    "typical_p": _NO_SUCH_FIELD,
    "use_chat_completions": "the server has chat completions only. Leave it out.",
    "use_responses_api": "the server has chat completions only. Leave it out.",
    "verbose": "leave it out; predict_and_call takes it in LlamaIndex.",
    "verbosity": _NO_SUCH_FIELD,
    "web_search_options": _NO_SUCH_FIELD,
}
"""What to do instead of passing an argument that has no equivalent here."""

_MIN_LIKENESS = 0.62
_SHARED_WORD_BONUS = 0.15


def unknown_argument(
    name: str,
    known: Iterable[str],
    *,
    of_the_model: Iterable[str] = (),
    takes_unknown_fields: str = "model_kwargs (LangChain) or additional_kwargs (LlamaIndex)",
) -> str:
    """Describe an argument that is not allowed, and say what to do instead.

    Args:
        name: The argument.
        known: Every name that is allowed.
        of_the_model: Names that are allowed where a model is made, but not for a call.
        takes_unknown_fields: The argument for request fields that this package does not know.
    """
    known, of_the_model = set(known), set(of_the_model)
    own = name if name in of_the_model else _equivalent(name, of_the_model - known)
    if own is not None:
        said = f"The argument {name!r}" if own == name else f"{name!r} is {own!r} here, which"
        return (
            f"{said} belongs to the model, not to a call: pass it where the model is made, or use "
            f"a copy, model_copy(update={{{own!r}: ...}})."
        )
    if name in _ADVICE and not _equivalent(name, known):
        return f"Unknown argument {name!r}: {_ADVICE[name]}"
    return (
        f"{unknown_name('argument', name, known)} Fields this package does not know go into "
        f"{takes_unknown_fields}."
    )


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Describe an unknown name in one sentence, with the nearest known one.

    Args:
        kind: What the name names, such as "argument".
        name: The unknown name.
        known: Every name that is allowed.
    """
    nearest = nearest_name(name, known)
    hint = "." if nearest is None else f": did you mean {nearest!r}?"
    return f"Unknown {kind} {name!r}{hint}"


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that an unknown one probably means; None if nothing is like it.

    Args:
        name: The unknown name.
        known: Every name that is allowed.
    """
    candidates = sorted(known)
    equivalent = _equivalent(name, candidates)
    if equivalent:
        return equivalent
    likeness, nearest = max(
        ((_likeness(name, candidate), candidate) for candidate in candidates), default=(0.0, "")
    )
    return nearest if likeness >= _MIN_LIKENESS else None


def _equivalent(name: str, known: Iterable[str]) -> str | None:
    return next((one for one in _INSTEAD.get(name, ()) if one in known), None)


def _likeness(name: str, candidate: str) -> float:
    """Compare letters and words: max_completion_tokens is max_tokens rather than min_tokens."""
    from difflib import SequenceMatcher

    shared = set(name.lower().split("_")) & set(candidate.split("_"))
    letters = SequenceMatcher(None, name.lower(), candidate).ratio()
    return letters + _SHARED_WORD_BONUS * len(shared)
