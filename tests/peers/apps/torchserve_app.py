"""A handler for TorchServe: a bare list as ``Results.summary()`` gives.

torch-model-archiver --model-name shapes --version 1.0 --handler torchserve_app.py
"""

import os
import sys

# The archive is unpacked elsewhere; the neighbours stay here.
sys.path.insert(0, os.environ["PEER_APPS"])

from detector import Detector


class Shapes:
    """One model per worker."""

    def initialize(self, context):
        """Load the model."""
        self.detector = Detector()

    def handle(self, data, context):
        """Detect in each picture of the batch, sent raw or as the field ``data``."""
        pictures = [row.get("data") or row.get("body") for row in data]
        return [self.detector(bytes(picture))["results"] for picture in pictures]
