"""A local endpoint with the rules of the vLLM server behind MonsterAPI, without a model.

    from monster_emulator import Emulator, ToolCall

    with Emulator(replies=["Hello!", ToolCall("get_weather", {"city": "Rome"})]) as emulator:
        emulator.fail(next=429, retry_after=2)
        ...  # emulator.base_url, emulator.api_key, emulator.requests

`Emulator(server="vllm")` has the rules of today's vLLM. From a terminal:
`python -m monster_emulator --port 8000`. In tests: the fixture `monster_emulator`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._exchange import ReceivedRequest
    from ._replies import Reply, ToolCall
    from ._server import Emulator

__all__ = ["Emulator", "ReceivedRequest", "Reply", "ToolCall"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package is cheap."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from . import _exchange, _replies, _server
    except ModuleNotFoundError as error:
        install = "pip install 'monsterapi-integrations[emulator]'"
        message = f"monster_emulator needs {error.name}: {install}"
        raise ModuleNotFoundError(message, name=error.name) from error
    homes = {"Emulator": _server, "ReceivedRequest": _exchange}
    return getattr(homes.get(name, _replies), name)
