"""Ask of a socket what could be done with it at once."""

from __future__ import annotations

import select
import socket

__all__ = ["is_readable", "is_writable"]


def is_readable(connection: socket.socket) -> bool:
    """Whether a connection has something to say; an idle one: its end, as a rule.

    Args:
        connection: The connection; a closed one has come to its end.
    """
    if connection.fileno() < 0:
        return True
    if hasattr(select, "poll"):
        return _poll(connection, select.POLLIN)
    return bool(select.select([connection], [], [], 0)[0])


def is_writable(connection: socket.socket) -> bool:
    """Whether a connection that is being made is there, or has failed.

    Args:
        connection: The connection.
    """
    if hasattr(select, "poll"):
        return _poll(connection, select.POLLOUT)
    _, writable, failed = select.select([], [connection], [connection], 0)
    return bool(writable or failed)


def _poll(connection: socket.socket, event: int) -> bool:
    poll = select.poll()
    poll.register(connection, event)
    return bool(poll.poll(0))
