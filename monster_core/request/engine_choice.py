"""Choose what holds a response to a schema: the engine that the caller names, or the best one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monster_core.json_schema import LoweredSchema
from monster_core.json_schema.engines import ENGINES, XGRAMMAR, SchemaEngine
from monster_core.json_schema.lower import CHEAP_SECONDS, LIMIT_SECONDS, lower_for_best
from monster_core.json_schema.tool_call_schema import LoweredCalls, lower_calls
from monster_core.server_profiles import ServerProfile, server_profile

__all__ = ["EngineChoice", "engine_choice"]

_log = logging.getLogger(__name__)
_BY_NAME = {engine.name: engine for engine in (*ENGINES, XGRAMMAR)}
_BACKEND = "guided_decoding_backend"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Hold which engines may hold a response to a schema.

    Args:
        engines: The engines to choose from, the one that the server uses by itself first.
        limit: Seconds that the server may spend on compiling a schema.
        is_given: Whether the caller has named the only engine.
    """

    engines: tuple[SchemaEngine, ...] = ENGINES
    limit: float = LIMIT_SECONDS
    is_given: bool = False

    def lower(self, schema: Mapping[str, Any]) -> LoweredSchema:
        """Lower a schema for the engine that serves it best.

        Args:
            schema: The original schema.

        Raises:
            SchemaError: It is not a usable JSON schema.
        """
        lowered = lower_for_best(schema, engines=self.engines, limit=self.limit)
        if lowered.guided:
            self.log_cost(lowered.seconds, lowered.largest, str(schema.get("title") or ""))
        return lowered

    def lower_calls(
        self, parameters: Mapping[str, Mapping[str, Any]], arguments_key: str, *, is_list: bool
    ) -> LoweredCalls:
        """Lower the schema of an object that calls one of several functions.

        Args:
            parameters: The schema of each function's parameters, by its name.
            arguments_key: The key under which a call holds its arguments.
            is_list: Whether several calls are wanted, in an array.

        Raises:
            SchemaError: A schema of parameters is not a usable JSON schema.
        """
        lowered = lower_calls(
            parameters, arguments_key, is_list=is_list, engines=self.engines, limit=self.limit
        )
        if lowered.guided:
            self.log_cost(lowered.seconds, lowered.largest, "all calls")
        return lowered

    def fields(self, engine: SchemaEngine) -> dict[str, Any]:
        """Return the request fields that name an engine, where they are needed.

        Args:
            engine: One of the engines.
        """
        needs_name = engine is not self.engines[0] and not self.is_given
        return {_BACKEND: engine.name} if needs_name else {}

    def log_cost(self, seconds: float, path: str, name: str) -> None:
        """Log, once for each schema, that compiling it takes the server a time that is felt.

        Args:
            seconds: The time before the first response.
            path: The path of what costs most of it.
            name: What the schema is called; empty if it has no name.
        """
        if seconds <= CHEAP_SECONDS or (name, path, seconds) in _logged:
            return
        if len(_logged) >= _MAX_LOGGED:
            _logged.clear()
        _logged.add((name, path, seconds))
        _log.info(
            "The first answer that is guided by %s takes the server %.1f s more, most of it for "
            "%s: it compiles a schema once. docs/schemas.md says what makes one cheap.",
            name or "this schema",
            seconds,
            path,
        )


_MAX_LOGGED = 1024
_logged: set[tuple[str, str, float]] = set()


def engine_choice(fields: Mapping[str, Any], server: ServerProfile | None = None) -> EngineChoice:
    """Return the engines among which to choose for one request.

    Args:
        fields: What the caller asks for: perhaps an engine, or another limit.
        server: The server's profile; None for the default.
    """
    limit = fields.get("max_schema_seconds", LIMIT_SECONDS)
    given = fields.get(_BACKEND)
    if given is not None:
        return EngineChoice((_BY_NAME[given],), limit, is_given=True)
    names = (server or server_profile(None)).schema_engines
    return EngineChoice(tuple(_BY_NAME[name] for name in names), limit)
