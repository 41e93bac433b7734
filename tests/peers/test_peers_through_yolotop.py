"""The whole way a user goes, with real servers: address, recognition, table, probes.

What is recognised and left unsaid, what a table of the config file comes of it, and
that the probes see what the model sees. How the lights turn is in
``test_peers_lights.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from peer_answers import NAMES, differences, expected
from peer_monitor import Monitor, looked_at, registered, seen, witnessed
from peer_recipes import case
from peer_ways import STEPS, WAYS, Way, dotted
from peers import Peer

from yolotop.model import Outcome, ProbeKind
from yolotop.probe.frames import synthetic
from yolotop.probe.recognise import MOST_ASKED

SEEDS = (3, 4)


@pytest.mark.parametrize(
    ("peer", "way"), [case(*row) for row in WAYS], indirect=["peer"]
)
async def test_from_an_address_to_what_the_model_sees(peer: Peer, way: Way) -> None:
    async with witnessed(peer.url) as witness:
        finding = await looked_at(witness.url + way.path, model=way.model)
    assert (finding.dialect, finding.settings) == (way.dialect, way.found)
    assert finding.sure
    # Nothing but GETs, without a body, and a handful of them.
    assert all(line.startswith("GET ") for line in witness.lines)
    assert witness.bodies == 0
    assert 1 <= len(witness.lines) <= len(finding.asked) <= MOST_ASKED
    told = "; ".join(finding.unsaid)
    assert [key for key in dotted(way.given) if f"({key}" not in told] == []

    deployment = registered(finding, {**way.given, **way.more}, peer)
    async with Monitor(deployment) as monitor:
        health = await monitor.ask(ProbeKind.HEALTH)
        assert health.verdict.outcome is Outcome.OK, health
        for seed in SEEDS:
            sample = await monitor.ask(ProbeKind.PREDICT, seed=seed)
            assert sample.verdict.outcome is Outcome.OK, sample
            assert differences(seen(sample.answer), expected(synthetic(seed))) == []
            assert sample.answer.prediction is not None
            times = sample.answer.prediction.server
            known = [part for part in ("call", *STEPS) if getattr(times, part, None)]
            assert tuple(known) == tuple(way.times)


UNNAMED = [
    ("triton", "which of its models (model)"),
    ("mlserver", "the model's name (model); it lists none to a GET"),
    ("torchserve", "the model's name (model); it lists none to a GET"),
]


@pytest.mark.parametrize(
    ("peer", "words"), [case(*row) for row in UNNAMED], indirect=["peer"]
)
async def test_a_model_that_cannot_be_known_is_asked_for(
    peer: Peer, words: str
) -> None:
    finding = await looked_at(peer.url)
    assert words in finding.unsaid
    assert "model" not in finding.settings


# --- the command ---------------------------------------------------------------------

ADDED: list[tuple[str, str, list[str]]] = [
    ("fastapi", "", []),
    ("litserve", "", ["--set=request.field=image"]),
    ("bentoml", "", []),
    ("mosec", "/inference", []),
    ("azureml", "", []),
    (
        "kserve",
        "",
        [
            "--set=tensor.shape=[1, 3, 160, 160]",
            f"--set=class_names={json.dumps(NAMES)}",
        ],
    ),
    ("triton", "", ["--model=shapes", f"--set=class_names={json.dumps(NAMES)}"]),
    ("mlserver", "", ["--model=shapes", f"--set=class_names={json.dumps(NAMES)}"]),
    ("torchserve", "", ["--model=shapes"]),
    ("ray", "", []),
    ("mlflow", "", []),
]


@pytest.mark.parametrize(
    ("peer", "path", "words"), [case(*row) for row in ADDED], indirect=["peer"]
)
def test_the_command_writes_a_table_that_works(
    peer: Peer, path: str, words: list[str], tmp_path: Path
) -> None:
    """``yolotop add URL --yes``, then ``yolotop check --json``: the real program."""
    config = tmp_path / "yolotop.toml"
    config.write_text("# mine\n")
    added = yolotop(tmp_path, "add", peer.url + path, "--yes", "--name=d", *words)
    assert added.returncode == 0, added.stderr
    assert "predict: ok" in added.stderr, added.stderr
    written = config.read_text()
    assert written.startswith("# mine\n")
    (table,) = tomllib.loads(written)["deployment"]
    assert (table["name"], table["url"]) == ("d", peer.url)
    checked = yolotop(tmp_path, "check", "--json")
    rows = json.loads(checked.stdout)
    assert checked.returncode == 0, rows
    assert [(row["kind"], row["reception"]) for row in rows] == [
        ("health", "ok"),
        ("predict", "ok"),
    ]
    assert rows[1]["detections"] == len(expected(synthetic(0)))


def yolotop(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the real program, away from whatever this machine's user has."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "yolotop", *words, f"--config={home / 'yolotop.toml'}"],
        capture_output=True,
        text=True,
        cwd=home,
        env={**kept, "HOME": str(home), "XDG_DATA_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
