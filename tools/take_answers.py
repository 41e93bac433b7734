"""What the model that ships says to drawn scenes, for the canary's tests.

Run as ``python3 tools/take_answers.py tests/judge/shapes_answers.json``. Each scene is
a list of ``[label, confidence, [x1, y1, x2, y2]]``, down to a confidence of 0.05, so
that a test can put noise on it and draw the threshold itself.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from yolotop.probe.frames import synthetic
from yolotop.serve.run import open_engine

SCENES = 40


def main() -> None:
    """Ask, and write."""
    engine = open_engine("shapes")
    lines = []
    for seed in range(SCENES):
        found = engine.predict(synthetic(seed).data, conf=0.05, iou=0.7, imgsz=None)
        scene = [
            [
                each.name,
                round(each.confidence or 0.0, 5),
                [round(each.box[side], 2) for side in ("x1", "y1", "x2", "y2")],
            ]
            for each in found.detections
            if each.box is not None
        ]
        lines.append(json.dumps(scene))
    Path(sys.argv[1]).write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
