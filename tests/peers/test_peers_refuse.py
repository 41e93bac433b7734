"""What each real server says to a request it cannot answer.

A status alone says little: a bad picture is 500, 503, 422 or 400, and an empty request
may be 200.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from peer_answers import Question, tensor_binary
from peer_recipes import case
from peers import Peer

from yolotop.probe.frames import synthetic

GARBAGE = replace(synthetic(1), data=b"no picture")

BAD_PICTURE = [
    ("fastapi", "", 500, "Internal Server Error"),
    ("litserve", "", 500, "Internal server error"),
    ("bentoml", "", 500, "An unexpected error has occurred"),
    ("kserve", "v1", 500, "cannot identify image file"),
    ("azureml", "", 500, "An unexpected error occurred in scoring script"),
    ("ray", "", 500, "Internal Server Error"),
    ("triton", "picture", 500, "cannot identify image file"),
    # Not overload: its type says so, its status does not.
    ("torchserve", "", 503, "InternalServerException"),
    ("mosec", "", 422, "cannot decode image"),
    ("mlflow", "", 400, "BAD_REQUEST"),
]


@pytest.mark.parametrize(
    ("peer", "way", "status", "words"),
    [case(*row) for row in BAD_PICTURE],
    indirect=["peer"],
)
def test_a_bad_picture(peer: Peer, way: str, status: int, words: str) -> None:
    answer = peer.ask(GARBAGE, way)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


WRONG_SHAPE = [
    ("triton", 400, "unexpected shape for input 'images'"),
    ("kserve", 500, "InvalidArgument"),
    ("mlserver", 500, "InvalidArgument"),
]


@pytest.mark.parametrize(
    ("peer", "status", "words"), [case(*row) for row in WRONG_SHAPE], indirect=["peer"]
)
def test_a_tensor_of_the_wrong_shape(peer: Peer, status: int, words: str) -> None:
    entry = {"name": "images", "datatype": "FP32", "shape": [1, 3, 8, 8]}
    document = {"id": "probe", "inputs": [{**entry, "data": [0.0] * 192}]}
    answer = peer.say(Question("/v2/models/shapes/infer", {"json": document}))
    assert (answer.status_code, words in answer.text) == (status, True), (
        answer.status_code,
        answer.text[:500],
    )


UNKNOWN_MODEL = [
    # Not ready and not there are the same to Triton.
    ("triton", 400, "Model version not ready", 404, "unknown model: 'nope'"),
    ("kserve", 404, "nope does not exist", 404, "nope does not exist"),
    ("mlserver", 404, "Model nope not found", 404, "Model nope not found"),
]


@pytest.mark.parametrize(
    ("peer", "ready", "ready_words", "infer", "infer_words"),
    [case(*row) for row in UNKNOWN_MODEL],
    indirect=["peer"],
)
def test_a_model_it_does_not_have(
    peer: Peer, ready: int, ready_words: str, infer: int, infer_words: str
) -> None:
    told = peer.get("/v2/models/nope/ready")
    assert (told.status_code, ready_words in told.text) == (ready, True), told.text
    asked = peer.recipe.ways["tensor"].ask(synthetic(1))
    answer = peer.say(replace(asked, path="/v2/models/nope/infer"))
    assert (answer.status_code, infer_words in answer.text) == (infer, True)


@pytest.mark.parametrize("peer", [case("mosec")], indirect=True)
def test_mosec_says_200_to_nothing(peer: Peer) -> None:
    answer = peer.say(Question("/inference", {"content": b""}))
    assert (answer.status_code, answer.text) == (200, "no data provided")


WRONG_FIELD = [("fastapi", 422), ("ray", 422), ("litserve", 500), ("bentoml", 500)]


@pytest.mark.parametrize(
    ("peer", "status"), [case(*row) for row in WRONG_FIELD], indirect=["peer"]
)
def test_a_field_of_the_wrong_name(peer: Peer, status: int) -> None:
    body = {"files": {"picture": ("a.jpg", synthetic(1).data, "image/jpeg")}}
    assert peer.say(Question("/predict", body)).status_code == status


@pytest.mark.parametrize("peer", [case("torchserve")], indirect=True)
def test_torchserve_answers_without_a_content_type(peer: Peer) -> None:
    answer = peer.ask(synthetic(1))
    assert "content-type" not in answer.headers
    assert answer.reason_phrase == ""
    assert isinstance(answer.json(), list)


@pytest.mark.parametrize("peer", [case("azureml")], indirect=True)
def test_azureml_tells_its_own_time(peer: Peer) -> None:
    answer = peer.ask(synthetic(1))
    assert float(answer.headers["x-ms-run-fn-exec-ms"]) > 0
    assert answer.headers["x-ms-server-version"].startswith("azmlinfsrv/")


BINARY = [("triton", True), ("kserve", False), ("mlserver", False)]


@pytest.mark.parametrize(
    ("peer", "announced"), [case(*row) for row in BINARY], indirect=["peer"]
)
def test_binary_tensors_are_announced(peer: Peer, announced: bool) -> None:
    about = peer.get("/v2").json()
    assert ("binary_tensor_data" in about["extensions"]) is announced


@pytest.mark.parametrize("peer", [case("mlserver")], indirect=True)
def test_binary_where_it_is_not_announced_is_an_error(peer: Peer) -> None:
    assert peer.say(tensor_binary("shapes")(synthetic(1))).status_code == 500
