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
    """Six deployments with a life each, until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8_300)
    with serving(time.time, parser.parse_args().port) as server:
        server.deploy("dock-cam", rate_per_h=120.0)
        server.deploy("kiln-5", rate_per_h=300.0, error_share=0.2)
        server.deploy("silo-9")
        server.deploy("yard-7").change("stop", time.time())
        server.deploy("crane-1", ready=False)
        server.deploy("lane-6", ready=False, fails="container failed to start")
        told = f"{server.url}  owner {server.owner}  key {server.key}"
        print(told, flush=True)  # noqa: T201 - it is a program here
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
