"""Structured output on the real server's wire."""

from __future__ import annotations

from itertools import pairwise

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, RootModel

from llama_index_monster import MonsterLLM
from monster_core.errors import TruncatedAnswerError
from tests.llama_index.toolbox import Box, Song, answered, streamed
from tests.recorded_endpoint import MODEL

pytestmark = [
    pytest.mark.vcr,
    # StructuredLLM writes its streamed objects with pydantic's old json()
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
]

PROMPT = PromptTemplate('The song "{title}" of 431 seconds.')
HEY_JUDE = Song(title="Hey Jude", seconds=431)
GEMMA = "google/gemma-2-9b-it"


class Album(BaseModel):
    """An album."""

    songs: list[Song]
    box: Box[str] | None = None
    year: int


class Folder(BaseModel):
    """A folder that holds others."""

    name: str
    folders: list[Folder] = []


class Titles(RootModel[list[str]]):
    """Titles of songs."""


@pytest.fixture(params=["default", "function"])
def llm(request):
    mode = PydanticProgramMode(request.param)
    return MonsterLLM(MODEL, temperature=0, pydantic_program_mode=mode)


def test_an_object_is_predicted(calls, llm):
    found = answered(calls.is_async, llm, "structured_predict", Song, PROMPT, title="Hey Jude")
    assert found == HEY_JUDE


def test_an_object_grows(calls, llm):
    items = streamed(
        calls.is_async, llm, "stream_structured_predict", Song, PROMPT, title="Hey Jude"
    )
    assert items[-1] == HEY_JUDE
    titles = [item.title for item in items if item.title is not None]
    assert len(titles) > 4
    assert all(later.startswith(earlier) for earlier, later in pairwise(titles))
    assert not any(isinstance(item, list) for item in items)


def test_a_system_prompt_is_honoured(calls, llm):
    llm.system_prompt = "You know every song."
    found = answered(calls.is_async, llm, "structured_predict", Song, PROMPT, title="Hey Jude")
    assert found == HEY_JUDE


def test_nested_and_optional_fields(calls, llm):
    found = answered(calls.is_async, llm, "structured_predict", Album, PROMPT, title="Hey Jude")
    assert isinstance(found, Album)
    assert found.songs
    items = streamed(
        calls.is_async, llm, "stream_structured_predict", Album, PROMPT, title="Hey Jude"
    )
    assert items[-1] == found


def test_a_truncated_object_is_named(calls, llm):
    with pytest.raises(TruncatedAnswerError, match="raise max_tokens"):
        answered(
            calls.is_async,
            llm,
            "structured_predict",
            Song,
            PROMPT,
            llm_kwargs={"max_tokens": 14},
            title="Hey Jude",
        )


def test_a_truncated_stream_gives_what_it_had_and_raises(llm):
    seen = []
    with pytest.raises(TruncatedAnswerError, match="raise max_tokens"):
        seen.extend(
            llm.stream_structured_predict(
                Song, PROMPT, llm_kwargs={"max_tokens": 18}, title="Hey Jude"
            )
        )
    assert len(seen) > 1
    assert seen[-1].title
    assert "Hey Jude".startswith(seen[-1].title)


def test_a_structured_llm(calls, llm):
    structured = llm.as_structured_llm(Song)
    text = 'The song "Hey {Jude}" of 431 seconds.'
    expected = Song(title="Hey {Jude}", seconds=431)
    response = answered(calls.is_async, structured, "chat", [ChatMessage(text)])
    assert response.raw == expected
    assert Song.model_validate_json(response.message.content) == expected
    assert answered(calls.is_async, structured, "complete", text).raw == expected
    items = streamed(calls.is_async, structured, "stream_chat", [ChatMessage(text)])
    assert items[-1].raw == expected


def test_a_class_may_hold_itself(calls, llm):
    args = (Folder, PromptTemplate('The folder "{title}".'))
    found = answered(calls.is_async, llm, "structured_predict", *args, title="Songs")
    items = streamed(calls.is_async, llm, "stream_structured_predict", *args, title="Songs")
    assert found == items[-1]
    assert found.name == found.folders[0].name == "Songs"


def test_an_array_is_predicted(calls):
    llm = MonsterLLM(MODEL, temperature=0)
    items = streamed(calls.is_async, llm, "stream_structured_predict", Titles, PROMPT, title="Help")
    assert items[-1] == Titles(["Help"])


def test_a_model_without_a_system_role(calls):
    prompt = ChatPromptTemplate(
        [
            ChatMessage("You know songs.", role="system"),
            ChatMessage('The song "{title}" of 431 seconds.'),
        ]
    )
    llm = MonsterLLM(GEMMA, temperature=0, system_prompt="Be brief.")
    found = answered(calls.is_async, llm, "structured_predict", Song, prompt, title="Hey Jude")
    assert found.seconds == 431
