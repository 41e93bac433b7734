"""The vocabulary of yolotop: what every room says to every other.

Owns the frozen values that travel down the one-way street *config → probe → judge →
store → view* and nothing else. It does no I/O, imports no other room and holds no
behaviour beyond what a value can say about itself.

Units: every duration ends in ``_ms`` or ``_s``; every instant is a Unix time in UTC
seconds as ``float`` and ends in ``_at`` (wall clock: for showing and storing, never
for measuring; measuring is monotonic and lives in ``probe``).

Everybody imports from here; the modules only keep what belongs together together.
"""

from yolotop.model.answer import (
    PHASE_NAMES,
    Answer,
    Depth,
    Detection,
    Phases,
    Prediction,
    ProbeError,
    ServerTimes,
    WaitParts,
)
from yolotop.model.deployment import (
    Deployment,
    Expectation,
    Maintenance,
    SecretRef,
    StoreSettings,
)
from yolotop.model.golden import Baseline, Tolerance
from yolotop.model.hosting import Hosting, PlatformAddress
from yolotop.model.judged import (
    Event,
    HealthState,
    Light,
    Sample,
    Verdict,
)
from yolotop.model.traffic import Timing, Traffic
from yolotop.model.words import (
    ErrorKind,
    EventKind,
    Health,
    Outcome,
    ProbeKind,
    Reception,
    Severity,
)

__all__ = [
    "PHASE_NAMES",
    "Answer",
    "Baseline",
    "Deployment",
    "Depth",
    "Detection",
    "ErrorKind",
    "Event",
    "EventKind",
    "Expectation",
    "Health",
    "HealthState",
    "Hosting",
    "Light",
    "Maintenance",
    "Outcome",
    "Phases",
    "PlatformAddress",
    "Prediction",
    "ProbeError",
    "ProbeKind",
    "Reception",
    "Sample",
    "SecretRef",
    "ServerTimes",
    "Severity",
    "StoreSettings",
    "Timing",
    "Tolerance",
    "Traffic",
    "Verdict",
    "WaitParts",
]
