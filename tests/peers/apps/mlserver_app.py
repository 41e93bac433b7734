"""A runtime for MLServer: the tensor in, the head as exported out.

mlserver start FOLDER, with ``implementation: mlserver_app.Shapes`` in its settings
"""

from detector import Detector
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class Shapes(MLModel):
    """One model in the server's own process."""

    async def load(self):
        """Load the model."""
        self.detector = Detector()
        return True

    async def predict(self, payload):
        """Detect."""
        given = NumpyCodec.decode_input(payload.inputs[0]).astype("float32")
        output = NumpyCodec.encode_output("output0", self.detector.raw(given))
        return InferenceResponse(id=payload.id, model_name=self.name, outputs=[output])
