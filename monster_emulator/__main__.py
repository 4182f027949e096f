"""The command line: `python -m monster_emulator --port 8000`."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack

from . import Emulator


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted or terminated."""
    options = vars(_parser().parse_args(arguments))
    faults = options.pop("fail")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        try:
            emulator = Emulator(**options)
            for fault in faults:
                emulator.fail(fault)
            stack.enter_context(emulator)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1
        except (OSError, OverflowError) as error:
            print(_unbound(error, options["host"], options["port"]), file=sys.stderr)
            return 1
        key = f"key {emulator.api_key}" if emulator.api_key else "no key"
        print("monster_emulator is not a language model: it answers by fixed rules.")
        print(f"{emulator.base_url} ({key}, model {emulator.model})", flush=True)
        stop.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m monster_emulator",
        description="Serve an endpoint with the rules of vLLM, without a language model.",
        argument_default=argparse.SUPPRESS,  # what is not given is left to Emulator's defaults
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port (8000); 0 for a free one")
    parser.add_argument("--api-key", help="key to ask for (sk-emulator); '' for none")
    parser.add_argument("--model", nargs="+", help="names of the served model")
    parser.add_argument("--server", help="whose rules: vllm-0.5 (the default), or vllm for today's")
    parser.add_argument("--max-model-len", type=int, help="context in tokens (8192)")
    parser.add_argument("--pace", type=float, help="seconds that each token takes (0)")
    parser.add_argument("--certfile", help="a certificate in PEM, for https")
    parser.add_argument("--keyfile", help="its key, if it is not in the same file")
    parser.add_argument(
        "--fail",
        action="append",
        default=[],
        metavar="FAULT",
        help="let a fault happen to the next request: '429; retry_after=2; times=3' or "
        "'cut; after_tokens=3'; may be given several times",
    )
    return parser


def _unbound(error: Exception, host: str, port: int) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"Port {port} is already in use on {host}; choose another one with --port."
    return f"Cannot listen on {host}, port {port}: {getattr(error, 'strerror', None) or error}"


if __name__ == "__main__":
    sys.exit(main())
