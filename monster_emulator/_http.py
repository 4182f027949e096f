"""What is HTTP about the endpoint: the key, the body, error answers, and the list of models."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from email.message import Message
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from . import _wording
from ._dialects import Dialect
from ._errors import Crash, Refusal


class Authentication:
    """Answers 401 under `/v1` without the key (vllm/entrypoints/openai/api_server.py:155)."""

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app = app
        self._expected = f"Bearer {api_key}" if api_key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = scope["path"].startswith("/v1") and scope["method"] != "OPTIONS"
        given = Headers(scope=scope).get("authorization")
        if self._expected and guarded and given != self._expected:
            response = JSONResponse({"error": "Unauthorized"}, status_code=401)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Endpoint:
    """Makes a method an ASGI application, which a route takes as it is."""

    def __init__(self, answer: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)


async def read_json(request: Request, dialect: Dialect) -> Any:
    """Read a JSON body as FastAPI does; 0.5.0 crashes if it is declared to be something else."""
    content = await request.body()
    if not content:
        raise dialect.unreadable(_wording.missing_body())
    if not (dialect.reads_any_type or _is_json(request.headers.get("content-type"))):
        raise Crash("the body is not declared to be JSON")
    try:
        data = json.loads(content)
    except json.JSONDecodeError as error:
        raise dialect.unreadable(_wording.bad_json(error)) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400, "There was an error parsing the body") from error
    if data is None:
        raise dialect.unreadable(_wording.missing_body())
    return data


def _is_json(content_type: str | None) -> bool:
    if content_type is None:
        return True
    message = Message()
    message["content-type"] = content_type
    kind, subtype = message.get_content_maintype(), message.get_content_subtype()
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))


def model_list(names: Sequence[str], max_model_len: int) -> dict[str, Any]:
    """Build the answer of `GET /v1/models`."""
    created = int(time.time())
    cards = [
        {
            "id": name,
            "object": "model",
            "created": created,
            "owned_by": "vllm",
            "root": names[0],
            "parent": None,
            "max_model_len": max_model_len,
            "permission": [_permission(created)],
        }
        for name in names
    ]
    return {"object": "list", "data": cards}


def _permission(created: int) -> dict[str, Any]:
    return {
        "id": f"modelperm-{uuid.uuid4().hex}",
        "object": "model_permission",
        "created": created,
        "allow_create_engine": False,
        "allow_sampling": True,
        "allow_logprobs": True,
        "allow_search_indices": False,
        "allow_view": True,
        "allow_fine_tuning": False,
        "organization": "*",
        "group": None,
        "is_blocking": False,
    }


def error_handlers(dialect: Dialect) -> dict[Any, Any]:
    """Make what answers in place of a route that raised."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return JSONResponse(dialect.error_body(error), status_code=error.status)

    async def crashed(request: Request, error: Exception) -> Response:
        return PlainTextResponse("Internal Server Error", status_code=500)

    async def not_served(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return JSONResponse({"detail": error.detail}, error.status_code, error.headers)

    return {Refusal: refused, Crash: crashed, HTTPException: not_served}
