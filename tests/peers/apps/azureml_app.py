"""A scoring script for Azure ML: the picture is the body, the envelope comes back.

azmlinfsrv --entry_script azureml_app.py
"""

from azureml_inference_server_http.api.aml_request import rawhttp
from detector import Detector

state = {}


def init():
    """Load the model."""
    state["detector"] = Detector()


@rawhttp
def run(request):
    """Detect."""
    return {"images": [state["detector"](request.get_data())]}
