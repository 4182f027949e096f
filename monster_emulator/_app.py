"""What is HTTP about the endpoint: routes, the key, bodies, errors, and the pace of tokens."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Awaitable, Callable
from email.message import Message
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ._dialects import Dialect
from ._engine import Completion, Engine
from ._errors import Crash, Refusal
from ._exchange import Exchange, exchange_of


class Application:
    """The emulator as an ASGI application, which asks for the key under `/v1`."""

    def __init__(self, engine: Engine, api_key: str) -> None:
        self._engine = engine
        self._dialect = engine.dialect
        self._expected = f"Bearer {api_key}" if api_key else None
        self._routes = Starlette(
            routes=[
                Route("/health", self._health),
                Route("/version", self._version),
                Route("/openapi.json", self._openapi),
                Route("/v1/models", self._models),
                Route("/v1/chat/completions", _Endpoint(self._chat), methods=["POST"]),
            ],
            exception_handlers={
                Refusal: self._refused,
                Crash: self._crashed,
                HTTPException: self._not_served,
            },
        )

    # vllm/entrypoints/openai/api_server.py:155
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_guarded = scope["path"].startswith("/v1") and scope["method"] != "OPTIONS"
        given = Headers(scope=scope).get("authorization")
        if self._expected and is_guarded and given != self._expected:
            response = JSONResponse({"error": "Unauthorized"}, status_code=401)
            await response(scope, receive, send)
        else:
            await self._routes(scope, receive, send)

    async def _health(self, request: Request) -> Response:
        if not self._engine.alive:
            raise Crash("the engine is dead")
        return Response()

    async def _version(self, request: Request) -> Response:
        return JSONResponse({"version": self._dialect.version})

    async def _openapi(self, request: Request) -> Response:
        """Describe the request model; the server's own page is some hundred times as long."""
        schema = self._dialect.request.model_json_schema()
        schemas = {**schema.pop("$defs", {}), "ChatCompletionRequest": schema}
        return JSONResponse({"openapi": "3.1.0", "paths": {}, "components": {"schemas": schemas}})

    async def _models(self, request: Request) -> Response:
        cards = [self._card(name) for name in self._engine.models]
        return JSONResponse({"object": "list", "data": cards})

    async def _chat(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        is_declared_json = _is_json(Headers(scope=scope).get("content-type"))
        body = _read_json(exchange.content, self._dialect, is_declared_json=is_declared_json)
        request = self._dialect.parse(body)
        completion = self._engine.prepare(request)
        if request.stream:
            await self._stream(completion, exchange, send)
        else:
            response = await self._full(completion, exchange)
            await response(scope, receive, send)

    async def _full(self, completion: Completion, exchange: Exchange) -> Response:
        body = None
        for body in completion.full():
            if body is None and not await exchange.stays(self._engine.pace):
                # vllm/entrypoints/openai/serving_chat.py:486
                raise Refusal("Client disconnected")
        return JSONResponse(body)

    async def _stream(self, completion: Completion, exchange: Exchange, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for events in completion.events():
            if not await exchange.stays(self._engine.pace):
                break
            for event in events:
                body = event.encode()
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return JSONResponse(self._dialect.error_body(error), status_code=error.status)

    async def _crashed(self, request: Request, error: Exception) -> Response:
        return PlainTextResponse("Internal Server Error", status_code=500)

    async def _not_served(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return JSONResponse({"detail": error.detail}, error.status_code, error.headers)

    def _card(self, name: str) -> dict[str, Any]:
        """Describe a served model."""
        created = int(time.time())
        permission = {
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
        return {
            "id": name,
            "object": "model",
            "created": created,
            "owned_by": "vllm",
            "root": self._engine.models[0],
            "parent": None,
            "max_model_len": self._engine.max_model_len,
            "permission": [permission],
        }


class _Endpoint:
    """Makes a method an ASGI application, which a route takes as it is."""

    def __init__(self, answer: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)


def _read_json(content: bytes, dialect: Dialect, *, is_declared_json: bool) -> Any:
    """Read a JSON body as FastAPI does; 0.5.0 crashes if it is declared to be something else."""
    missing = {"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}
    if not content:
        raise dialect.unreadable(missing)
    if not (dialect.reads_any_type or is_declared_json):
        raise Crash("the body is not declared to be JSON")
    try:
        data = json.loads(content)
    except json.JSONDecodeError as error:
        wrong = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error"}
        raise dialect.unreadable({**wrong, "input": {}, "ctx": {"error": error.msg}}) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400, "There was an error parsing the body") from error
    if data is None:
        raise dialect.unreadable(missing)
    return data


def _is_json(content_type: str | None) -> bool:
    if content_type is None:
        return True
    message = Message()
    message["content-type"] = content_type
    kind, subtype = message.get_content_maintype(), message.get_content_subtype()
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))
