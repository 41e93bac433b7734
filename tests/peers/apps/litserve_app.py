"""A LitServe service: multipart ``image``, what was found under ``detections``.

python litserve_app.py PORT
"""

import sys

import litserve as ls
from detector import Detector


class Shapes(ls.LitAPI):
    """One worker with one model."""

    def setup(self, device):
        """Load the model."""
        self.detector = Detector()

    def decode_request(self, request):
        """Read the upload."""
        return request["image"].file.read()

    def predict(self, x):
        """Detect."""
        return self.detector(x)

    def encode_response(self, output):
        """Name the members as torchvision people do."""
        return {
            "detections": [
                {
                    "label": found["name"],
                    "score": found["confidence"],
                    "bbox": list(found["box"].values()),
                }
                for found in output["results"]
            ],
            "inference_ms": output["speed"]["inference"],
        }


if __name__ == "__main__":
    server = ls.LitServer(Shapes(), accelerator="cpu", timeout=10)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
