"""The detector that every app here serves, as the author of a small service writes it.

Its own code on purpose: Pillow, numpy and onnxruntime, nothing of yolotop, so that an
answer which agrees with yolotop's engine was found twice. The process that loads the
model appends its pid and the model's name to ``PEER_PIDS``, which is how a test knows
whom to kill.
"""

import io
import os
import time
from pathlib import Path

NAMES = ("circle", "square", "triangle")
SIDE = 160
CONF, IOU = 0.25, 0.7
ROWS = 300


class Detector:
    """Picture bytes in, boxes in the picture's pixels out."""

    def __init__(self, role="shapes"):
        # The import too is left to the process that really serves.
        import onnxruntime

        if os.environ.get("PEER_FAULT") == "load":
            raise RuntimeError("the weights are gone")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["PEER_MODEL"], options)
        with Path(os.environ["PEER_PIDS"]).open("a") as pids:
            pids.write(f"{os.getpid()} {role}\n")

    def raw(self, tensor):
        """``[1, 3, 160, 160]`` of 0 to 1 to the head as exported, ``[1, 7, 525]``."""
        return self._session.run(None, {"images": tensor})[0]

    def end_to_end(self, tensor):
        """The same as ``[1, 300, 6]``, as an export with NMS inside answers.

        Rows are x1, y1, x2, y2, score, class; best first, the rest is zeros.
        """
        import numpy as np

        rows = suppress(self.raw(tensor)[0], CONF)
        padded = np.zeros((1, ROWS, 6), np.float32)
        padded[0, : len(rows)] = rows[:ROWS]
        return padded

    def __call__(self, picture):
        """Answer as ``Results`` do: shape, results and speed, all that JSON can say."""
        import numpy as np
        from PIL import Image

        started = time.perf_counter()
        image = Image.open(io.BytesIO(picture)).convert("RGB")
        scale = SIDE / max(image.size)
        inner = tuple(round(edge * scale) for edge in image.size)
        left, top = ((SIDE - edge) // 2 for edge in inner)
        canvas = Image.new("RGB", (SIDE, SIDE), (114, 114, 114))
        canvas.paste(image.resize(inner, Image.Resampling.BILINEAR), (left, top))
        tensor = np.asarray(canvas, np.float32).transpose(2, 0, 1)[None] / 255
        ready = time.perf_counter()
        head = self.raw(np.ascontiguousarray(tensor))[0]
        inferred = time.perf_counter()
        results = []
        for *corners, score, number in suppress(head, CONF).tolist():
            edges = zip(corners, (left, top) * 2, image.size * 2, strict=True)
            at = [min(max((c - pad) / scale, 0), end) for c, pad, end in edges]
            results.append(
                {
                    "name": NAMES[int(number)],
                    "class": int(number),
                    "confidence": round(score, 5),
                    "box": dict(zip(("x1", "y1", "x2", "y2"), at, strict=True)),
                }
            )
        speed = {
            "preprocess": (ready - started) * 1000,
            "inference": (inferred - ready) * 1000,
            "postprocess": (time.perf_counter() - inferred) * 1000,
        }
        shape = [image.height, image.width]
        return {"shape": shape, "results": results, "speed": speed}


def suppress(head, conf):
    """``[4 + classes, N]`` to rows x1, y1, x2, y2, score, class without overlaps."""
    import numpy as np

    scores = head[4:].max(axis=0)
    classes = head[4:].argmax(axis=0)
    kept = []
    for i in np.argsort(-scores):
        if scores[i] <= conf:
            break
        x, y, w, h = head[:4, i]
        box = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        rivals = (row for row in kept if row[5] == classes[i])
        if all(overlap(box, row) <= IOU for row in rivals):
            kept.append((*box, scores[i], classes[i]))
    return np.array(kept, np.float32).reshape(-1, 6)


def overlap(one, other):
    """Intersection over union of two boxes."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return wide * high / (sum(areas) - wide * high)
