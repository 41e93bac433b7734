"""A Mosec service: the picture is the body, ``results`` and ``speed`` come back.

python mosec_app.py --address 127.0.0.1 --port PORT
"""

from detector import Detector
from mosec import Server, ValidationError, Worker


class Shapes(Worker):
    """One worker with one model."""

    def __init__(self):
        """Load the model."""
        super().__init__()
        self.detector = Detector()

    def deserialize(self, data):
        """Take the body as it is."""
        return data

    def forward(self, data):
        """Detect."""
        try:
            return self.detector(data)
        except OSError as error:
            raise ValidationError("cannot decode image") from error


if __name__ == "__main__":
    server = Server()
    server.append_worker(Shapes, num=1)
    server.run()
