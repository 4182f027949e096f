from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from monster_emulator import Emulator
from tests.scripted_replies import small_talk

LLAMA = "meta-llama/Meta-Llama-3.1-8B-Instruct"
ALIAS = "google/gemma-2-9b-it"


class Endpoint:
    """An emulator with a plain HTTP client in front of it."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        key = emulator.api_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(
            base_url=emulator.base_url, headers=headers, trust_env=False, timeout=30
        )

    def body(self, text: str = "hello", /, **fields: Any) -> dict[str, Any]:
        messages = [{"role": "user", "content": text}]
        return {"model": self.emulator.model, "messages": messages, **fields}

    def ask(self, text: str = "hello", /, **fields: Any) -> httpx.Response:
        return self.http.post("/chat/completions", json=self.body(text, **fields))

    def answer(self, text: str = "hello", /, **fields: Any) -> dict[str, Any]:
        response = self.ask(text, **fields)
        assert response.status_code == 200, response.text
        return response.json()

    def choice(self, text: str = "hello", /, **fields: Any) -> dict[str, Any]:
        return self.answer(text, **fields)["choices"][0]

    def content(self, text: str = "hello", /, **fields: Any) -> str:
        return self.choice(text, **fields)["message"]["content"]

    def refusal(self, text: str = "hello", /, **fields: Any) -> str:
        response = self.ask(text, **fields)
        assert response.status_code == 400, response.text
        error = response.json()
        message = error.pop("message")
        assert error == {"object": "error", "type": "BadRequestError", "param": None, "code": 400}
        return message

    def chunks(self, text: str = "hello", /, **fields: Any) -> list[dict[str, Any]]:
        response = self.ask(text, stream=True, **fields)
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        *events, done, rest = response.text.split("\n\n")
        assert (done, rest) == ("data: [DONE]", "")
        return [json.loads(event.removeprefix("data: ")) for event in events]


def streamed(chunks: list[dict[str, Any]], index: int = 0) -> str:
    """Join what the chunks add to one choice."""
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    return "".join(c["delta"].get("content", "") for c in choices if c["index"] == index)


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Endpoint]:
    with Emulator(model=[LLAMA, ALIAS], replies=small_talk, bytes_per_token=1) as emulator:
        endpoint = Endpoint(emulator)
        with endpoint.http:
            yield endpoint


@pytest.fixture
def emulate() -> Iterator[Callable[..., Endpoint]]:
    with ExitStack() as stack:

        def start(**options: Any) -> Endpoint:
            endpoint = Endpoint(
                stack.enter_context(
                    Emulator(**{"replies": small_talk, "bytes_per_token": 1, **options})
                )
            )
            stack.enter_context(endpoint.http)
            return endpoint

        yield start
