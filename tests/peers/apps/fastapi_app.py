"""A plain FastAPI service: multipart ``file``, the Platform's envelope back.

uvicorn fastapi_app:app
"""

from typing import Annotated

from detector import Detector
from fastapi import FastAPI, File, UploadFile

app = FastAPI(title="shapes")
detector = Detector()


@app.get("/health")
def health() -> dict[str, str]:
    """Say that the process is there."""
    return {"status": "ok"}


@app.post("/predict")
def predict(file: Annotated[UploadFile, File()]) -> dict:
    """Detect."""
    return {"images": [detector(file.file.read())]}
