"""Stand-in for torchvision: the version and ``ops.nms``, nothing else."""

from __future__ import annotations

from . import ops

# ultralytics compares minor numbers: torch 2.13 goes with torchvision 0.28.
__version__ = "0.28.0+stub"
__all__ = ["__version__", "ops"]
