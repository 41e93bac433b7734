"""A Python backend for Triton, with three heads; the config's ``head`` says which.

``raw``: the tensor as exported. ``end_to_end``: rows of ``[1, 300, 6]``. ``picture``:
an encoded picture as BYTES in, a JSON text as BYTES out.
"""

import json
import os
import sys

# The stub is a Python of its own: it sees neither the environment's packages nor this
# file's neighbours.
sys.path[:0] = os.environ["PEER_PATH"].split(os.pathsep)

import numpy as np  # noqa: E402
import triton_python_backend_utils as pb  # noqa: E402
from detector import Detector  # noqa: E402


class TritonPythonModel:
    """What Triton's Python backend looks for."""

    def initialize(self, args):
        """Load the model."""
        config = json.loads(args["model_config"])
        self.head = config["parameters"]["head"]["string_value"]
        if self.head == "broken":
            raise RuntimeError("the weights are gone")
        self.detector = Detector(args["model_name"])

    def execute(self, requests):
        """Answer each request."""
        return [self.answer(request) for request in requests]

    def answer(self, request):
        """Detect."""
        if self.head == "picture":
            given = pb.get_input_tensor_by_name(request, "image").as_numpy()
            found = [json.dumps(self.detector(bytes(one))) for one in given.reshape(-1)]
            output = np.array(found, dtype=object).reshape(-1, 1)
            return pb.InferenceResponse([pb.Tensor("detections", output)])
        given = pb.get_input_tensor_by_name(request, "images").as_numpy()
        head = self.detector.raw if self.head == "raw" else self.detector.end_to_end
        return pb.InferenceResponse([pb.Tensor("output0", head(given))])
