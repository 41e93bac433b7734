"""A pyfunc model for MLflow: base64 in ``inputs``, one answer for each picture.

python mlflow_app.py FOLDER saves it there; mlflow models serve -m FOLDER serves it.
"""

import base64
import os
import sys

import mlflow


class Shapes(mlflow.pyfunc.PythonModel):
    """One model per worker."""

    def load_context(self, context):
        """Load the model."""
        sys.path.insert(0, os.environ["PEER_APPS"])
        from detector import Detector

        self.detector = Detector()

    def predict(self, context, model_input, params=None):
        """Detect."""
        rows = (
            model_input.to_numpy().reshape(-1)
            if hasattr(model_input, "to_numpy")
            else model_input
        )
        return [self.detector(base64.b64decode(row)) for row in rows]


if __name__ == "__main__":
    mlflow.pyfunc.save_model(path=sys.argv[1], python_model=Shapes())
