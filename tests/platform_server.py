"""The Platform's stand-in with a clock that tests move by hand.

``python -m tests.platform_server`` runs it by itself, in real time, and prints where it
listens and with which key.
"""

from __future__ import annotations

import argparse
import contextlib
import threading
import time
from dataclasses import dataclass

from yolotop.demo.platform import cast
from yolotop.demo.platform.serving import KEY, PlatformServer, serving

__all__ = ["KEY", "T0", "HandClock", "PlatformServer", "serving"]

T0 = 1_795_651_200.0


@dataclass
class HandClock:
    """Seconds since 1970."""

    at: float = T0

    def __call__(self) -> float:
        return self.at


def main() -> None:
    """The demo's cast, whose service addresses lead nowhere here, until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8_300)
    with serving(time.time, parser.parse_args().port) as server:
        cast.enter(server.world, server.key, {})
        told = f"{server.url}  owner {server.owner}  key {server.key}"
        print(told, flush=True)  # noqa: T201 - it is a program here
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
