"""The models of the recorded server, which differ in their names only."""

from __future__ import annotations

from typing import Any

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM

__all__ = ["HERMES", "LLAMA", "MISTRAL", "SMOLLM2", "chat_monster", "monster_llm"]

SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"
LLAMA = "meta-llama/Meta-Llama-3.1-8B-Instruct"  # the name chooses the format of tool calls
HERMES = "NousResearch/Hermes-2-Pro-Llama-3-8B"
MISTRAL = "mistralai/Mistral-7B-Instruct-v0.3"


def chat_monster(model: str = SMOLLM2, **arguments: Any) -> ChatMonster:
    """Return a chat model that answers the same way each time, and briefly.

    Args:
        model: The name of the model.
        **arguments: Arguments of the model.
    """
    return ChatMonster(model=model, **{"temperature": 0, "max_tokens": 60, **arguments})


def monster_llm(model: str = SMOLLM2, **arguments: Any) -> MonsterLLM:
    """Return an LLM that answers the same way each time, and briefly.

    Args:
        model: The name of the model.
        **arguments: Arguments of the model.
    """
    return MonsterLLM(model=model, **{"temperature": 0, "max_tokens": 60, **arguments})
