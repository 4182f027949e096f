"""Cut a byte stream into server-sent events; knows nothing of HTTP or JSON.

Follows the WHATWG event stream grammar: lines end in LF, CR or CRLF (and in nothing else: U+2028
stays data), a blank line ends an event, ``data`` lines of one event are joined with LF, comments
and other fields are skipped.
"""

from __future__ import annotations

__all__ = ["EventDecoder"]


class EventDecoder:
    """Collect bytes as they arrive and hand out the data of each complete event."""

    __slots__ = ("_after_cr", "_data", "_first", "_line")

    def __init__(self) -> None:
        self._line: list[bytes] = []  # pieces of a line whose end has not arrived
        self._data: list[bytes] = []  # data lines of an event whose end has not arrived
        self._after_cr = False  # a LF that follows belongs to the CR before it
        self._first = True

    def feed(self, received: bytes) -> list[bytes]:
        """Take the next bytes.

        Args:
            received: Any piece of the stream, cut anywhere.

        Returns:
            The data of the events that these bytes completed, oldest first.
        """
        if self._after_cr and received:
            self._after_cr = False
            if received.startswith(b"\n"):
                received = received[1:]
        if b"\r" in received:
            self._after_cr = received.endswith(b"\r")
            received = received.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = received.split(b"\n")
        if self._line and len(lines) > 1:
            self._line.append(lines[0])
            lines[0] = b"".join(self._line)
            self._line = []
        rest = lines.pop()
        if rest:
            self._line.append(rest)
        return self._read(lines) if lines else []

    def flush(self) -> list[bytes]:
        """Take the end of the stream.

        Returns:
            The data of an event that was not followed by a blank line, if there is one.
        """
        return self._read([b"".join(self._line), b""])

    def _read(self, lines: list[bytes]) -> list[bytes]:
        if self._first:
            self._first = False
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if not line:
                if data:
                    events.append(data[0] if len(data) == 1 else b"\n".join(data))
                    data.clear()
            elif line.startswith(b"data:"):
                data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                data.append(b"")
        return events
