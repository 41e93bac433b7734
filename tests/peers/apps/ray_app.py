"""A Ray Serve application behind FastAPI: multipart ``file``, the Platform's envelope.

python ray_app.py PORT METRICS_PORT
"""

import signal
import sys
from typing import Annotated

import ray
from detector import Detector
from fastapi import FastAPI, File, UploadFile
from ray import serve

api = FastAPI(title="shapes")


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
@serve.ingress(api)
class Shapes:
    """One replica with one model."""

    def __init__(self):
        """Load the model."""
        self.detector = Detector()

    @api.post("/predict")
    def predict(self, file: Annotated[UploadFile, File()]) -> dict:
        """Detect."""
        return {"images": [self.detector(file.file.read())]}


if __name__ == "__main__":
    ray.init(
        num_cpus=2,
        object_store_memory=100_000_000,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        _metrics_export_port=int(sys.argv[2]),
    )
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Shapes.bind(), name="shapes", route_prefix="/")
    signal.pause()
