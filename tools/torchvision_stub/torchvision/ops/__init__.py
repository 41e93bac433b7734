"""The one operator ultralytics calls: non-maximum suppression, in pure torch."""

from __future__ import annotations

import torch


def nms(
    boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float
) -> torch.Tensor:
    """Return the indices kept, best score first, as ``torchvision.ops.nms`` does.

    ``boxes`` is ``[N, 4]`` as x1, y1, x2, y2; ``scores`` is ``[N]``.
    """
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)
    order = scores.argsort(descending=True, stable=True)
    keep: list[torch.Tensor] = []
    while order.numel():
        best, rest = order[0], order[1:]
        keep.append(best)
        top_left = torch.maximum(boxes[best, :2], boxes[rest, :2])
        bottom_right = torch.minimum(boxes[best, 2:], boxes[rest, 2:])
        inter = (bottom_right - top_left).clamp(min=0).prod(dim=1)
        overlap = inter / (area[best] + area[rest] - inter).clamp(min=1e-9)
        order = rest[overlap <= iou_threshold]
    return torch.stack(keep) if keep else order
