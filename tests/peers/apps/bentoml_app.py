"""A BentoML service: multipart ``image``, a bare list as ``Results.summary()`` gives.

bentoml serve bentoml_app:Shapes
"""

from pathlib import Path

import bentoml
from detector import Detector


@bentoml.service(name="shapes", workers=1, traffic={"timeout": 10})
class Shapes:
    """One worker with one model."""

    def __init__(self) -> None:
        """Load the model."""
        self.detector = Detector()

    @bentoml.api
    def predict(self, image: Path) -> list[dict]:
        """Detect."""
        return self.detector(image.read_bytes())["results"]
