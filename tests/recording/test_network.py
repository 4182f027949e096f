"""Tests reach this machine only."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

ELSEWHERE = "192.0.2.1"  # reserved for documentation: nobody answers there


def test_a_connection_to_another_machine_is_refused() -> None:
    with socket.socket() as opened, pytest.raises(Exception, match=f'with host "{ELSEWHERE}"'):
        opened.connect((ELSEWHERE, 443))


async def test_a_coroutines_connection_to_another_machine_is_refused() -> None:
    with pytest.raises(Exception, match=f'with host "{ELSEWHERE}"'):
        await asyncio.open_connection(ELSEWHERE, 443)


def test_a_name_of_another_machine_is_not_looked_up() -> None:
    with pytest.raises(pytest.fail.Exception, match="looked up 'elsewhere'"):
        httpx.get("http://elsewhere/")


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname()).close()
