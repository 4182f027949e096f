"""The provider suite, for MonsterLLM and its peers; provider_suite.py runs it."""

from __future__ import annotations

import json
import os
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
from llama_index.llms.monsterapi import MonsterLLM as OldMonsterLLM
from llama_index.llms.openai_like import OpenAILike

from llama_index_monster import MonsterLLM
from tests.llama_index.provider_suite import LLMIntegrationTests, LLMTests, LLMUnitTests

BASE = os.environ.get("MONSTER_API_BASE", "https://llm.monsterapi.ai/v1").rstrip("/")
MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct"
PARAMS = {"model": MODEL, "temperature": 0, "api_key": os.environ["MONSTER_API_KEY"]}


class WithModelsInfo(BaseHTTPRequestHandler):
    """Answers /models/info as MonsterAPI does, and hands on everything else."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer /models/info."""
        body = json.dumps({"maximum_context_length": {MODEL: 8192}}).encode()
        self._begin(200, {"content-type": "application/json", "content-length": str(len(body))})
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Hand on a request, and its reply piece by piece."""
        asked = self.rfile.read(int(self.headers["content-length"]))
        headers = {name: self.headers[name] or "" for name in ("authorization", "content-type")}
        url = BASE + self.path
        with httpx.stream("POST", url, content=asked, headers=headers, timeout=60) as reply:
            kind = reply.headers["content-type"]
            self._begin(reply.status_code, {"content-type": kind, "transfer-encoding": "chunked"})
            for piece in reply.iter_bytes():
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

    def _begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


@cache
def base_with_models_info() -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), WithModelsInfo)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class OfMonsterLLM(LLMTests):
    """MonsterLLM."""

    llm_class = MonsterLLM

    @property
    def llm_params(self) -> dict[str, Any]:
        """Return what it is made with."""
        return {**PARAMS, "api_base": BASE}


class OfOpenAILike(LLMTests):
    """OpenAILike, told what it cannot know."""

    llm_class = OpenAILike

    @property
    def llm_params(self) -> dict[str, Any]:
        """Return what it is made with."""
        told = {"is_chat_model": True, "is_function_calling_model": True, "context_window": 8192}
        return {**PARAMS, **told, "api_base": BASE, "max_retries": 0}


class OfOldMonsterLLM(LLMTests):
    """The class of llama-index-llms-monsterapi."""

    llm_class = OldMonsterLLM

    @property
    def llm_params(self) -> dict[str, Any]:
        """Return what it is made with."""
        return {**PARAMS, "api_base": base_with_models_info(), "max_retries": 0}


class TestMonsterLLMOffline(OfMonsterLLM, LLMUnitTests):
    """MonsterLLM, offline."""


class TestMonsterLLM(OfMonsterLLM, LLMIntegrationTests):
    """MonsterLLM, on the endpoint."""


class TestOpenAILikeOffline(OfOpenAILike, LLMUnitTests):
    """OpenAILike, offline."""


class TestOpenAILike(OfOpenAILike, LLMIntegrationTests):
    """OpenAILike, on the endpoint."""


class TestOldMonsterLLMOffline(OfOldMonsterLLM, LLMUnitTests):
    """The old package, offline."""


class TestOldMonsterLLM(OfOldMonsterLLM, LLMIntegrationTests):
    """The old package, on the endpoint."""
