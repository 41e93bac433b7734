"""The health machine: scripted histories, and any history hypothesis can think of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from yolotop.judge.health import (
    FLAP_CHANGES,
    FLAP_WINDOW_S,
    WINDOW,
    advance,
    after_gap,
    begin_maintenance,
    end_maintenance,
    means_the_same,
    pause,
    rebased,
    resume,
    unseen,
)
from yolotop.judge.light import memory
from yolotop.judge.news import EXPIRES_SOON_S
from yolotop.judge.verdict import light_of
from yolotop.judge.words import span
from yolotop.model import (
    Answer,
    Deployment,
    Event,
    EventKind,
    Health,
    HealthState,
    Outcome,
    Prediction,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.state import decode_state, encode_state

SILENT = (Health.PAUSED, Health.MAINTENANCE)
DEPLOYMENT = Deployment("cam", "http://h", fail_after=3, recover_after=2)
SHORT = {
    "O": Outcome.OK,
    "S": Outcome.SLOW,
    "C": Outcome.COLD,
    "W": Outcome.WRONG,
    "F": Outcome.FAILED,
}
SAID = {
    Outcome.OK: "3 detections",
    Outcome.SLOW: "312 ms, slower than 250 ms",
    Outcome.COLD: "starting up (503)",
    Outcome.WRONG: "wrong answer: got none, expected circle ×1",
    Outcome.CHANGED: "changed: the model was replaced",
    Outcome.FAILED: "connection refused",
}


def sample(
    outcome: Outcome,
    at: float,
    *,
    kind: ProbeKind = ProbeKind.PREDICT,
    prediction: Prediction | None = None,
) -> Sample:
    answer = Answer("cam", kind, started_at=at, latency_ms=0.0, prediction=prediction)
    verdict = Verdict(outcome, Severity.INFO, SAID[outcome])
    return Sample(answer, verdict)


def play(
    script: str,
    *,
    state: HealthState | None = None,
    deployment: Deployment = DEPLOYMENT,
    step_s: float = 60.0,
    at: float | None = None,
) -> tuple[HealthState, list[Event]]:
    """Outcomes by letter, upper case of predictions, lower case of liveness.

    The first comes ``step_s`` after ``at`` (the state's beginning), and so on.
    """
    state = state or HealthState(since=1_000.0)
    events: list[Event] = []
    at = state.since if at is None else at
    for letter in script:
        at += step_s
        kind = ProbeKind.PREDICT if letter.isupper() else ProbeKind.HEALTH
        one = sample(SHORT[letter.upper()], at, kind=kind)
        state, new = advance(state, one, deployment)
        events += new
    return state, events


@pytest.mark.parametrize(
    ("script", "health"),
    [
        ("", Health.UNKNOWN),
        ("O", Health.UP),
        ("S", Health.UP),
        ("F", Health.UNKNOWN),
        ("FF", Health.DEGRADED),
        ("FFF", Health.DOWN),
        ("OF", Health.UP),
        ("OFF", Health.DEGRADED),
        ("OFFF", Health.DOWN),
        ("OFFFO", Health.DOWN),
        ("OFFFOO", Health.UP),
        ("OFFFOOO", Health.UP),  # the failures before do not count again
        ("OFFFWW", Health.DEGRADED),  # it answers again, wrongly
        ("OFFFOFO", Health.DEGRADED),  # every other time: not down, and not up
        ("OFFFOFFO", Health.DEGRADED),
        ("OFFFFFFFOFFOF", Health.DEGRADED),  # four of ten, for as long as it lasts
        ("OFFFFFFFOFFOFFF", Health.DOWN),
        ("FFFOFFFOFFFO", Health.DOWN),  # what would lead down does not lead out of it
        ("FFFOFOO", Health.DEGRADED),  # out of it, and two of the last five are bad
        ("FFFOFOOO", Health.UP),
        ("FFFOCCCC", Health.DOWN),  # starting up is still no answer
        ("OFOFO", Health.DEGRADED),  # flapping
        ("OFOFOO", Health.DEGRADED),  # two of the last five still bad
        ("OFOFOOO", Health.UP),
        ("OW", Health.DEGRADED),  # one wrong answer is enough
        ("WO", Health.DEGRADED),
        ("WOO", Health.UP),
        ("OS", Health.UP),
        ("OSS", Health.DEGRADED),
        ("C", Health.COLD),
        ("CO", Health.UP),
        ("OCCCCCC", Health.COLD),
        ("FFFC", Health.DOWN),  # starting up is not yet an answer
        ("FFCF", Health.DOWN),
        ("oF", Health.UP),
        ("ooFoooFoooF", Health.DOWN),  # health answers do not excuse predictions
        ("OOfff", Health.DOWN),
        ("OOfffOOO", Health.DOWN),  # nor predictions a dead liveness path
        ("Oc", Health.COLD),
        ("FFFc", Health.DOWN),
        ("Wc", Health.COLD),
    ],
)
def test_a_history_leads_to_a_state(script: str, health: Health) -> None:
    state, _ = play(script)
    assert state.health is health


def test_down_and_up_again_are_told_with_reason_and_time() -> None:
    state, events = play("OFFF")
    assert [(e.severity, e.message) for e in events] == [
        (Severity.INFO, "up"),
        (
            Severity.WARNING,
            "degraded: connection refused (2 of the last 3)",
        ),
        (Severity.ERROR, "down after 3 failures: connection refused"),
    ]
    assert state.message == "connection refused (3 in a row)"
    assert state.since == 1_000.0 + 4 * 60
    state, _ = play("FF", state=state)
    assert state.message == "connection refused (5 in a row)"
    assert state.since == 1_000.0 + 4 * 60
    state, events = play("OO", state=state)
    assert [(e.severity, e.message) for e in events] == [
        (Severity.INFO, "up again after 2 min down")
    ]
    assert (state.message, state.failures) == ("", 0)


def test_one_that_answers_now_and_then_says_since_when_and_of_how_many() -> None:
    state, _ = play("OFFF")
    state, events = play("O", state=state, at=state.since)
    # Down since then, but no longer "3 in a row".
    assert (state.health, events) == (Health.DOWN, [])
    assert state.message == "connection refused (3 of the last 5)"
    down_at = state.since
    state, events = play("FO", state=state, at=down_at + 60)
    assert [(e.severity, e.message) for e in events] == [
        (
            Severity.WARNING,
            "degraded after 3 min down: connection refused (3 of the last 5)",
        )
    ]
    assert state.message == "connection refused (3 of the last 5)"
    assert state.since == events[0].at == down_at + 3 * 60


@given(
    st.text(st.sampled_from("OSWF"), max_size=60),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(1, 9),
)
def test_what_no_longer_fails_in_a_row_is_not_down_for_ever(
    after: str, fail_after: int, recover_after: int, window: int
) -> None:
    deployment = replace(
        DEPLOYMENT,
        fail_after=fail_after,
        recover_after=recover_after,
        degraded_window=window,
    )
    state, _ = play("O" + "F" * fail_after, deployment=deployment)
    assert state.health is Health.DOWN
    kept = after.replace("F" * fail_after, "F" * (fail_after - 1) + "O")
    enough = memory(deployment) + recover_after * fail_after
    while len(kept) < enough:
        kept += "F" * (fail_after - 1) + "O"
    kept = kept.replace("F" * fail_after, "F" * (fail_after - 1) + "O")
    state, _ = play("O" + kept + "O", state=state, deployment=deployment)
    assert state.health is not Health.DOWN


def test_a_cold_start_is_told_with_its_length() -> None:
    state, events = play("OCCO", step_s=3.0)
    assert [e.message for e in events] == [
        "up",
        "starting up (503)",
        "up after a cold start of 6 s",
    ]
    assert state.predict.cold_since is None


def test_the_cold_start_is_counted_from_its_first_answer() -> None:
    state, _ = play("OCCF")
    assert state.predict.cold_since == 1_000.0 + 2 * 60


def test_one_failure_is_enough_where_the_deployment_says_so() -> None:
    strict = replace(DEPLOYMENT, fail_after=1, recover_after=1)
    state, events = play("OFO", deployment=strict)
    assert state.health is Health.UP
    assert [e.message for e in events] == [
        "up",
        "down after 1 failure: connection refused",
        "up again after 1 min down",
    ]


def test_the_deployment_shows_the_worse_light_and_its_reason() -> None:
    state, _ = play("oooW")
    assert state.health is Health.DEGRADED
    assert state.liveness.health is Health.UP
    assert state.message == SAID[Outcome.WRONG]


def test_what_the_first_attempts_met_is_said_before_anything_is_known() -> None:
    state, events = play("f")
    assert (state.health, state.message) == (Health.UNKNOWN, "connection refused")
    assert events == []


# --- the instance --------------------------------------------------------------------


def seen(at: float, *, alive_s: float | None, model: str | None = "a") -> Sample:
    prediction = Prediction((), model_id=model, alive_s=alive_s)
    return sample(Outcome.OK, at, prediction=prediction)


def test_another_model_behind_the_url_is_an_event() -> None:
    state, _ = advance(HealthState(), seen(100.0, alive_s=None), DEPLOYMENT)
    state, events = advance(state, seen(160.0, alive_s=None, model="b"), DEPLOYMENT)
    assert events == (
        Event(
            160.0,
            Severity.WARNING,
            EventKind.MODEL_CHANGED,
            "model changed: a → b",
            "cam",
        ),
    )
    assert (state.model_id, state.health) == ("b", Health.UP)
    _, events = advance(state, seen(200.0, alive_s=None, model=None), DEPLOYMENT)
    assert events == ()


def test_a_younger_instance_than_the_last_answer_has_restarted() -> None:
    state, _ = advance(HealthState(), seen(100.0, alive_s=500.0), DEPLOYMENT)
    state, events = advance(state, seen(160.0, alive_s=560.0), DEPLOYMENT)
    assert events == ()
    _, events = advance(state, seen(220.0, alive_s=20.0), DEPLOYMENT)
    assert [(e.kind, e.severity, e.message) for e in events] == [
        (EventKind.RESTARTED, Severity.INFO, "instance restarted 20 s ago")
    ]


def test_liveness_answers_do_not_hide_a_restart() -> None:
    state, _ = advance(HealthState(), seen(100.0, alive_s=500.0), DEPLOYMENT)
    live = sample(Outcome.OK, 150.0, kind=ProbeKind.HEALTH)
    state, _ = advance(state, live, DEPLOYMENT)
    _, events = advance(state, seen(160.0, alive_s=20.0), DEPLOYMENT)
    assert [event.kind for event in events] == [EventKind.RESTARTED]


# --- pause ---------------------------------------------------------------------------


def test_pausing_keeps_still_and_resuming_begins_anew() -> None:
    state, _ = play("FFF")
    state, said = pause(state, "cam", at=2_000.0, reason="paused")
    assert [e.message for e in said] == ["paused"]
    state, events = play("FFFO", state=state)
    assert state.health is Health.PAUSED
    assert events == []
    assert pause(state, "cam", at=2_100.0, reason="again") == (state, ())
    state, said = resume(state, "cam", at=2_240.0)
    assert [e.message for e in said] == ["resumed after 4 min paused"]
    assert (state.health, state.since) == (Health.UNKNOWN, 2_240.0)
    assert resume(state, "cam", at=2_300.0) == (state, ())
    state, _ = play("F", state=state)
    assert state.health is Health.UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5.0, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3_599.0, "59 min"),
        (3_600.0, "1 h"),
        (7_500.0, "2 h 5 min"),
        (86_400.0, "1 d"),
        (3 * 86_400.0 + 4 * 3_600.0, "3 d 4 h"),
    ],
)
def test_spans_read_like_speech(seconds: float, text: str) -> None:
    assert span(seconds) == text


# --- any history ---------------------------------------------------------------------


@given(
    st.text(st.sampled_from("OSCWFoscwf"), max_size=40),
    st.text(st.sampled_from("OSCWFoscwf"), max_size=20),
    st.integers(1, 8),
    st.integers(1, 8),
)
def test_a_restart_in_the_middle_of_a_history_changes_nothing(
    first: str, then: str, fail_after: int, recover_after: int
) -> None:
    deployment = replace(DEPLOYMENT, fail_after=fail_after, recover_after=recover_after)
    whole, events = play(first + then, deployment=deployment)
    state, before = play(first, deployment=deployment)
    state, after = play(
        then,
        state=decode_state(encode_state(state)),
        deployment=deployment,
        at=1_000.0 + 60.0 * len(first),
    )
    assert state == whole
    assert before + after == events


class AnyHistory(RuleBasedStateMachine):
    """Against an independent count of failures and answers in a row."""

    @initialize(
        fail_after=st.integers(1, 4),
        recover_after=st.integers(1, 4),
        bad=st.integers(1, 4),
        more=st.integers(0, 4),
    )
    def settle(self, fail_after: int, recover_after: int, bad: int, more: int) -> None:
        self.deployment = replace(
            DEPLOYMENT,
            fail_after=fail_after,
            recover_after=recover_after,
            degraded_after=bad,
            degraded_window=bad + more,
        )

    def __init__(self) -> None:
        super().__init__()
        self.deployment = DEPLOYMENT
        self.kept = HealthState(since=1.0)
        self.state = HealthState(since=1.0)
        self.at = 1.0
        self.failed = dict.fromkeys(ProbeKind, 0)
        self.answered = dict.fromkeys(ProbeKind, 0)
        self.down = dict.fromkeys(ProbeKind, False)
        self.told = dict.fromkeys(ProbeKind, "")
        self.ever_answered = False
        self.lit = dict.fromkeys(ProbeKind, False)

    def begin_anew(self) -> None:
        self.failed = dict.fromkeys(ProbeKind, 0)
        self.answered = dict.fromkeys(ProbeKind, 0)
        self.down = dict.fromkeys(ProbeKind, False)
        self.told = dict.fromkeys(ProbeKind, "")
        self.lit = dict.fromkeys(ProbeKind, False)
        self.ever_answered = False

    def is_flaky(self, told: str) -> bool:
        """Answers enough among the last few, and no run of failures that leads down."""
        asked = self.deployment
        few = max(
            asked.degraded_window, (asked.recover_after - 1) * asked.fail_after + 1
        )
        last = told[-few:].replace("C", "")
        answers = len(last) - last.count("F")
        return answers >= asked.recover_after and "F" * asked.fail_after not in last

    def events_name_the_state_entered(self, events: tuple[Event, ...]) -> None:
        for event in events:
            is_state = event.kind is EventKind.STATE
            assert event.health is (self.state.health if is_state else None)

    @rule()
    def pauses(self) -> None:
        self.state, events = pause(self.state, "cam", at=self.at, reason="paused")
        self.events_name_the_state_entered(events)
        self.begin_anew()
        assert self.state.health is Health.PAUSED

    @rule()
    def resumes(self) -> None:
        was = self.state.health
        self.state, events = resume(self.state, "cam", at=self.at)
        assert bool(events) == (was is Health.PAUSED)
        self.events_name_the_state_entered(events)

    @rule(hours=st.integers(1, 5))
    def maintenance_begins(self, hours: int) -> None:
        was = self.state.health
        self.state, events = begin_maintenance(
            self.state,
            "cam",
            at=self.at,
            until_at=self.at + hours * 3_600,
            reason="maintenance until then",
        )
        self.events_name_the_state_entered(events)
        if was is Health.PAUSED:
            assert self.state.health is Health.PAUSED
        else:
            assert self.state.health is Health.MAINTENANCE
            self.begin_anew()

    @rule()
    def maintenance_ends(self) -> None:
        was = self.state.health
        self.state, events = end_maintenance(self.state, "cam", at=self.at)
        assert bool(events) == (was is Health.MAINTENANCE)
        self.events_name_the_state_entered(events)
        if events:
            assert self.state.health is Health.UNKNOWN

    @rule()
    def the_machine_sleeps(self) -> None:
        was = self.state
        self.state = unseen(self.state, at=self.at, reason="this machine slept")
        if was.health in SILENT:
            assert self.state == was
        else:
            assert self.state.health is Health.UNKNOWN
            assert self.state.failures == self.state.predict.failures == 0
            self.begin_anew()

    @rule(by_s=st.sampled_from([-3_600.0, 3_600.0, 7.5]))
    def the_clock_is_set(self, by_s: float) -> None:
        lasted = self.at - self.state.since
        self.state = rebased(self.state, by_s)
        self.at += by_s
        assert self.at - self.state.since == pytest.approx(lasted, abs=1e-3)

    @rule()
    def the_collector_restarts(self) -> None:
        """With a stored state that was only written when it meant something else."""
        if not means_the_same(self.kept, self.state, self.deployment):
            self.kept = self.state
        stored = decode_state(encode_state(self.kept))
        assert stored == self.kept
        self.state = after_gap(stored)
        self.kept = self.state
        for kind in ProbeKind:
            enough = max(1, self.deployment.recover_after)
            light = light_of(self.state, kind)
            assert min(light.successes, enough) == min(self.answered[kind], enough)
            self.answered[kind] = light.successes

    @rule(
        outcome=st.sampled_from(list(Outcome)),
        kind=st.sampled_from(list(ProbeKind)),
        wait_s=st.floats(0.1, 1e4),
    )
    def probe(self, outcome: Outcome, kind: ProbeKind, wait_s: float) -> None:
        self.at += wait_s
        before = self.state
        one = sample(outcome, self.at, kind=kind)
        if before.health in SILENT:
            self.state, events = advance(before, one, self.deployment)
            assert self.state.health is before.health
            assert events == ()
            return
        self.state, events = advance(before, one, self.deployment)
        if outcome is Outcome.FAILED:
            self.failed[kind] += 1
            self.answered[kind] = 0
        elif outcome is Outcome.COLD:
            self.answered[kind] = 0
        else:
            self.failed[kind] = 0
            self.answered[kind] += 1
            self.ever_answered = True
            self.lit[kind] = True
        as_ = Outcome.WRONG if outcome is Outcome.CHANGED else outcome
        self.told[kind] += as_.value[0].upper()
        if self.failed[kind] >= self.deployment.fail_after:
            self.down[kind] = True
        elif self.answered[kind] >= self.deployment.recover_after:
            if self.down[kind]:
                # A recovery forgets the failures before it.
                self.told[kind] = self.told[kind][-self.answered[kind] :]
            self.down[kind] = False
        elif outcome not in (Outcome.FAILED, Outcome.COLD) and self.is_flaky(
            self.told[kind]
        ):
            self.down[kind] = False
        states = [event for event in events if event.kind is EventKind.STATE]
        assert len(states) == (self.state.health is not before.health)
        self.events_name_the_state_entered(events)
        if self.state.health is before.health:
            assert self.state.since == (before.since or pytest.approx(self.at))
        else:
            assert self.state.since == pytest.approx(self.at)

    @invariant()
    def flapping_says_so_and_needs_changes(self) -> None:
        if self.state.flapping:
            assert self.state.message.startswith("flapping, ")
            assert len(self.state.changes) > 1
        assert len(self.state.changes) <= 2 * FLAP_CHANGES

    @invariant()
    def down_is_exactly_k_in_a_row_and_not_yet_recovered(self) -> None:
        assert (self.state.health is Health.DOWN) == any(self.down.values())

    @invariant()
    def unknown_ends_with_the_first_answer(self) -> None:
        if self.ever_answered and self.state.health not in SILENT:
            assert self.state.health is not Health.UNKNOWN

    @invariant()
    def windows_stay_short(self) -> None:
        lights = (self.state.liveness, self.state.predict)
        most = memory(self.deployment)
        assert all(len(light.recent) <= most for light in lights)
        assert len(self.state.recent) <= WINDOW

    @invariant()
    def up_needs_no_excuse(self) -> None:
        if self.state.health is Health.UP:
            assert self.state.message == "" or self.state.flapping
        elif self.state.recent:
            assert self.state.message


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=40)


def test_a_gap_in_measuring_renews_the_cold_start_allowance_and_keeps_streaks() -> None:
    """A demo left while an endpoint slept and come back to minutes later."""
    state, _ = play("OFC")
    assert state.predict.cold_since is not None
    after = after_gap(state)
    assert after.predict.cold_since is None
    assert replace(after, predict=state.predict) == state


# --- counts of the deployment's own --------------------------------------------------


@pytest.mark.parametrize(
    ("script", "health"),
    [("OF", Health.UP), ("OFF", Health.UP), ("OFFOF", Health.DEGRADED)],
)
def test_degraded_takes_as_many_of_as_many_as_is_said(
    script: str, health: Health
) -> None:
    patient = replace(DEPLOYMENT, fail_after=9, degraded_after=3, degraded_window=8)
    state, _ = play(script, deployment=patient)
    assert state.health is health


# --- flapping ------------------------------------------------------------------------


def test_five_changes_within_half_an_hour_are_flapping_until_it_is_quiet() -> None:
    quick = replace(DEPLOYMENT, fail_after=1, recover_after=1)
    state, events = play("OFOFO", deployment=quick)
    assert not state.flapping
    state, events = play("F", state=state, deployment=quick, at=1_300.0)
    assert state.flapping
    assert [(e.kind, e.severity) for e in events] == [
        (EventKind.STATE, Severity.ERROR),
        (EventKind.FLAPPING, Severity.WARNING),
    ]
    assert events[-1].message == "flapping, 5 changes in 4 min: connection refused"
    state, events = play("O", state=state, deployment=quick, at=1_360.0)
    assert (state.health, state.flapping) == (Health.UP, True)
    assert state.message == "flapping, 6 changes in 5 min"
    assert [e.kind for e in events] == [EventKind.STATE]  # said once
    state, events = play("O" * 40, state=state, deployment=quick, at=1_420.0)
    assert not state.flapping
    assert [(e.kind, e.message) for e in events] == [
        (EventKind.FLAPPING, "quiet again, up")
    ]
    assert state.message == ""


def test_changes_far_apart_are_none() -> None:
    quick = replace(DEPLOYMENT, fail_after=1, recover_after=1)
    state, events = play("OFOFOFOFOFO", deployment=quick, step_s=FLAP_WINDOW_S)
    assert not state.flapping
    assert EventKind.FLAPPING not in {e.kind for e in events}


def test_an_hourly_deployment_flaps_in_its_own_time() -> None:
    hourly = replace(
        DEPLOYMENT,
        fail_after=1,
        recover_after=1,
        interval_s=3_600.0,
        predict_interval_s=3_600.0,
    )
    state, _ = play("OFOFOF", deployment=hourly, step_s=3_600.0)
    assert state.flapping


# --- what is not known ---------------------------------------------------------------


def test_a_pending_run_of_failures_does_not_outlive_sleep() -> None:
    state, _ = play("OFF")
    state = unseen(state, at=20_000.0, reason="this machine slept for 3 h")
    assert (state.health, state.message) == (
        Health.UNKNOWN,
        "this machine slept for 3 h",
    )
    state, events = play("F", state=state)
    assert state.health is Health.UNKNOWN
    assert events == []


# --- the certificate -----------------------------------------------------------------


def expiring(at: float, *, in_s: float) -> Sample:
    one = sample(Outcome.OK, at)
    return replace(one, answer=replace(one.answer, tls_expires_at=at + in_s))


def test_a_certificate_that_ends_soon_is_told_once_a_day() -> None:
    day, state, told = 86_400.0, HealthState(), []
    for minutes in range(0, 60 * 24 * 3, 10):
        at = 1_000_000.0 + minutes * 60
        one = sample(Outcome.OK, at)
        answer = replace(one.answer, tls_expires_at=1_000_000.0 + 10.2 * day)
        state, events = advance(state, replace(one, answer=answer), DEPLOYMENT)
        told += [e for e in events if e.kind is EventKind.CERTIFICATE]
    assert [(e.severity, e.message) for e in told] == [
        (Severity.WARNING, "the TLS certificate expires in 10 d 4 h"),
        (Severity.WARNING, "the TLS certificate expires in 9 d 4 h"),
        (Severity.WARNING, "the TLS certificate expires in 8 d 4 h"),
    ]
    assert state.health is Health.UP


@pytest.mark.parametrize("in_s", [EXPIRES_SOON_S + 60, -60.0])
def test_one_that_lasts_or_has_ended_is_not_told(in_s: float) -> None:
    _, events = advance(HealthState(), expiring(1_000_000.0, in_s=in_s), DEPLOYMENT)
    assert EventKind.CERTIFICATE not in {e.kind for e in events}
