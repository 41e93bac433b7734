"""A KServe model server: protocol v1 takes base64, v2 takes and gives the tensor.

python kserve_app.py --http_port PORT --grpc_port PORT
"""

import base64
import os

from detector import Detector
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


class Shapes(Model):
    """Both protocols over one model."""

    def __init__(self):
        """Load the model; without ``ready`` the server does not start."""
        super().__init__("shapes")
        self.detector = None
        if os.environ.get("PEER_FAULT") != "ready":
            self.load()

    def load(self):
        """Load the weights."""
        self.detector = Detector()
        self.ready = True
        return self.ready

    async def predict(self, payload, headers=None, response_headers=None):
        """Answer in the protocol that was spoken."""
        if not isinstance(payload, InferRequest):
            pictures = [
                base64.b64decode(i["image"]["b64"]) for i in payload["instances"]
            ]
            return {"predictions": [self.detector(picture) for picture in pictures]}
        head = self.detector.raw(payload.inputs[0].as_numpy())
        output = InferOutput("output0", list(head.shape), "FP32")
        output.set_data_from_numpy(head, binary_data=False)
        return InferResponse(payload.id, "shapes", [output])


if __name__ == "__main__":
    ModelServer().start([Shapes()])
