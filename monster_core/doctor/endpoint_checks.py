"""Check the endpoint without generating text: address, key, release, models, context window."""

from __future__ import annotations

from collections.abc import Iterator

from monster_core.doctor.connection_checks import speaks_tls, tls_advice, tls_error_in
from monster_core.doctor.examination import Check, Examination, RawResponse
from monster_core.doctor.model_checks import ask_for_a_token
from monster_core.doctor.report import Finding
from monster_core.errors import ConnectionFailedError, MonsterError, NotFoundError, ResponseError
from monster_core.model_families import family_of, published_context_window
from monster_core.models_endpoint import context_window_of, read_models
from monster_core.name_suggestions import unknown_name
from monster_core.server_profiles import server_profile

__all__ = ["ENDPOINT_CHECKS"]

_SMALL_CONTEXT_TOKENS = 4096
"""Below it, a chat with tools or retrieved documents soon overflows: a definition of a tool or a
page of text takes some hundred tokens each."""

_MAX_NAMES_SHOWN = 8


def _check_endpoint(examination: Examination) -> Finding:
    base_url = examination.endpoint.base_url
    try:
        response = examination.get(base_url, "/models")
    except ConnectionFailedError as error:
        return _no_response(examination, error)
    examination.response = response
    if _is_web_page(response):
        return _other_address(examination, f"{base_url} answers with a web page, not as an API.")
    if response.status_code in (401, 403):
        return Finding("ok", _answered(response))
    if response.status_code in (404, 405):
        return _path_not_found(examination)
    if response.error is not None:
        return Finding("failed", str(response.error))
    try:
        examination.served = read_models(response.body)
    except ResponseError:
        return _other_address(
            examination, f"What {base_url}/models answers is not a list of models."
        )
    intermediary = _intermediary(response)
    if intermediary:
        return Finding(
            "note",
            f"{_answered(response)}, through {intermediary}",
            "What stands between may limit, cut or collect answers: see the check of the stream.",
        )
    return Finding("ok", _answered(response))


def _no_response(examination: Examination, error: MonsterError) -> Finding:
    broken = tls_error_in(error)
    if broken is not None:
        return Finding("failed", str(error), tls_advice(broken))
    is_plain = examination.url.scheme == "http" and examination.proxy is None
    if is_plain and speaks_tls(examination):
        return Finding(
            "failed",
            "The port speaks TLS, and was asked in plain http.",
            "Write https:// in the base URL (MONSTER_API_BASE).",
        )
    return Finding("failed", str(error))


def _path_not_found(examination: Examination) -> Finding:
    base_url = examination.endpoint.base_url
    found = _working_address(examination)
    if found is None:
        asked = examination.post_nothing("/chat/completions")
        if asked.status_code not in (404, 405) and not _is_web_page(asked):
            return Finding(
                "note",
                f"{base_url} has no list of models",
                "Name the model yourself, and its context window.",
            )
    return _not_there(examination, f"There is no API at {base_url}.", found)


def _other_address(examination: Examination, detail: str) -> Finding:
    return _not_there(examination, detail, _working_address(examination))


def _not_there(examination: Examination, detail: str, found: str | None) -> Finding:
    if found is not None:
        return Finding("failed", detail, f"Set the base URL (MONSTER_API_BASE) to {found}.")
    return Finding(
        "failed",
        detail,
        "Check the base URL (MONSTER_API_BASE): it ends in /v1 as a rule, and it is the API's "
        "address, not that of a web site.",
    )


def _working_address(examination: Examination) -> str | None:
    """Return an address on the same server where there is a list of models, or a key is asked."""
    for candidate in _candidates(examination.endpoint.base_url, str(examination.url.join("/"))):
        try:
            response = examination.get(candidate, "/models")
        except MonsterError:
            continue
        if response.status_code in (401, 403) and not _is_web_page(response):
            return candidate
        if response.status_code == 200 and _lists_models(response.body):
            return candidate
    return None


def _candidates(base_url: str, root: str) -> Iterator[str]:
    for tail in ("/chat/completions", "/completions", "/models"):
        if base_url.endswith(tail):
            yield base_url.removesuffix(tail)
    if not base_url.endswith("/v1"):
        yield f"{base_url}/v1"
        yield f"{root.rstrip('/')}/v1"


def _lists_models(body: bytes) -> bool:
    try:
        return bool(read_models(body))
    except ResponseError:
        return False


def _is_web_page(response: RawResponse) -> bool:
    kind = response.headers.get("content-type", "").lower()
    head = response.body[:200].lstrip().lower()
    return "html" in kind or head.startswith((b"<!doctype html", b"<html"))


def _answered(response: RawResponse) -> str:
    server = response.headers.get("server", "")
    shown = f" ({server[:40]})" if server.isprintable() and server else ""
    return f"an API answers{shown}"


def _intermediary(response: RawResponse) -> str:
    """Return what stands between this machine and the server, as far as the response says it."""
    via = response.headers.get("via", "")
    return via[:60] if via.isprintable() else ""


def _check_key(examination: Examination) -> Finding:
    response = examination.response
    assert response is not None
    if examination.model.api_key is None:
        refused = response.status_code in (401, 403)
        return Finding(
            "failed",
            "No key is set, and the server asks for one."
            if refused
            else "No key is set; this server asks for none, but a key is always sent.",
            "Set MONSTER_API_KEY to your key."
            if refused
            else "Set MONSTER_API_KEY to any value, EMPTY by custom.",
        )
    if response.status_code in (401, 403) and response.error is not None:
        return Finding("failed", str(response.error))
    return Finding("ok", "accepted")


def _check_server(examination: Examination) -> Finding:
    named = examination.model.server
    profile = server_profile(named).name
    try:
        found = examination.client().server()
    except MonsterError:
        found = None
    if found is None:
        return Finding("ok", f"not told; requests are written for {profile}")
    examination.release = found
    if server_profile(found) == server_profile(named):
        return Finding("ok", f"{found}; requests are written for {profile}")
    return Finding(
        "failed",
        f"The server is {found}, but requests are written for {profile}.",
        f"Set MONSTER_SERVER={found}, or pass server={found!r}.",
    )


def _check_model(examination: Examination) -> Finding:
    asked = examination.model.model
    names = [one.id for one in examination.served]
    if asked is None:
        if not names:
            return Finding("failed", "No model is named.", "Set MONSTER_MODEL, or give --model.")
        examination.model_name = names[0]
        return Finding(
            "note",
            f"none is named: the first one served, {names[0]}, is examined",
            "Pass model=, or set MONSTER_MODEL.",
        )
    examination.model_name = asked
    if asked in names:
        return Finding("ok", f"{asked} is served")
    return _ask_unlisted(examination, asked, names)


def _ask_unlisted(examination: Examination, asked: str, names: list[str]) -> Finding:
    """Find out whether a model that is not listed is served all the same, as a gateway may."""
    try:
        ask_for_a_token(examination)
    except NotFoundError as error:
        if not names:
            return Finding("failed", str(error))
        shown = ", ".join(names[:_MAX_NAMES_SHOWN])
        more = f" and {len(names) - _MAX_NAMES_SHOWN} more" if names[_MAX_NAMES_SHOWN:] else ""
        return Finding("failed", unknown_name("model", asked, names), f"Served are {shown}{more}.")
    return Finding("note", f"{asked} answers, although it is not listed")


def _check_context_window(examination: Examination) -> Finding:
    model = examination.model_name
    window = context_window_of(model, examination.served)
    if window is None:
        window = examination.client().context_window(model)
    published = published_context_window(family_of(model, examination.model.family))
    if window is None:
        return Finding(
            "note",
            "the endpoint does not tell it",
            "Pass context_window= (LlamaIndex), or max_input_tokens in profile (LangChain).",
        )
    if window < _SMALL_CONTEXT_TOKENS:
        return Finding(
            "note",
            f"{window:,} tokens, which is little for tools and documents",
            "Serve the model with a larger --max-model-len, or keep prompts short: "
            f"context_window={window} in LlamaIndex, discover_model_profile() in LangChain.",
        )
    if published is not None and window < published:
        return Finding(
            "note",
            f"{window:,} tokens, of {published:,} that the model can have",
            f"Tell the framework: context_window={window} or discover_context_window() in "
            "LlamaIndex, discover_model_profile() in LangChain.",
        )
    return Finding("ok", f"{window:,} tokens")


ENDPOINT_CHECKS = (
    Check("endpoint", _check_endpoint, ("TLS",)),
    Check("key", _check_key, ("endpoint",)),
    Check("server", _check_server, ("endpoint",)),
    Check("model", _check_model, ("key",)),
    Check("context window", _check_context_window, ("model",)),
)
