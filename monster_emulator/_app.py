"""The routes, and the pace at which tokens leave."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ._client import Client, Clients
from ._engine import Completion, Engine
from ._errors import Crash, Refusal
from ._http import Authentication, Endpoint, error_handlers, model_list, read_json


class Application:
    """The emulator as an ASGI application."""

    def __init__(self, engine: Engine, clients: Clients, api_key: str) -> None:
        self._engine = engine
        self._clients = clients
        self._app: ASGIApp = Authentication(self._routes(), api_key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def _routes(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/health", self._health),
                Route("/version", self._version),
                Route("/openapi.json", self._openapi),
                Route("/v1/models", self._models),
                Route("/v1/chat/completions", Endpoint(self._chat), methods=["POST"]),
            ],
            exception_handlers=error_handlers(self._engine.dialect),
        )

    async def _health(self, request: Request) -> Response:
        if not self._engine.alive:
            raise Crash("the engine is dead")
        return Response()

    async def _version(self, request: Request) -> Response:
        return JSONResponse({"version": self._engine.dialect.version})

    async def _openapi(self, request: Request) -> Response:
        """Describe the request model; the server's own page is some hundred times as long."""
        schema = self._engine.dialect.request.model_json_schema()
        schemas = {**schema.pop("$defs", {}), "ChatCompletionRequest": schema}
        return JSONResponse({"openapi": "3.1.0", "paths": {}, "components": {"schemas": schemas}})

    async def _models(self, request: Request) -> Response:
        return JSONResponse(model_list(self._engine.models, self._engine.max_model_len))

    async def _chat(self, scope: Scope, receive: Receive, send: Send) -> None:
        dialect = self._engine.dialect
        request = dialect.parse(await read_json(Request(scope, receive), dialect))
        completion = self._engine.prepare(request)
        async with self._clients.watch(receive) as client:
            if request.stream:
                await self._stream(completion, client, send)
            else:
                response = await self._full(completion, client)
                await response(scope, receive, send)

    async def _full(self, completion: Completion, client: Client) -> Response:
        body = None
        for body in completion.full():
            if body is None and not await client.stays(self._engine.pace):
                # vllm/entrypoints/openai/serving_chat.py:486
                raise Refusal("Client disconnected")
        return JSONResponse(body)

    async def _stream(self, completion: Completion, client: Client, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for events in completion.events():
            if not await client.stays(self._engine.pace):
                break
            for event in events:
                body = event.encode()
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
