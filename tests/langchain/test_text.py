from __future__ import annotations

import pytest

from langchain_monster import ChatMonster
from tests.recorded_endpoint import MODEL

pytestmark = pytest.mark.vcr


def test_invoke_answers_with_text() -> None:
    answer = ChatMonster(model=MODEL).invoke("What is the capital of France?")
    assert answer.text == "Paris."


async def test_astream() -> None:
    chunks = [c async for c in ChatMonster(model=MODEL).astream("Say a joke with emoji")]
    assert "".join(c.text for c in chunks)
