"""Plans, outcomes and diagnostics as people meet them, and strategies for what other people wrote into them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st
from support.fleets import (
    NO_GUARDRAILS,
    NOW,
    TEAMS,
    Situation,
    agent_id,
    agent_range,
    concurrency,
    desired,
    desired_agent,
    fleet_of,
    one_of_each,
    record,
    scope,
    site,
    situations,
    state,
    waiting,
)

from reconciler.model.capacity import CapacityFloor
from reconciler.model.changed_since import ChangedSince
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Source
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action, Change, Forget, Plan, PlanOptions, Scope
from reconciler.model.secret_reference import SecretReference
from reconciler.model.sign_in_settings import SignInSessions
from reconciler.model.site import GuardrailSettings, OnAgentRemoval, OnChannelRemoval
from reconciler.model.state import empty_state
from reconciler.planning import make_plan
from reconciler.report import Style, plan_text
from reconciler.values import replace

PLAIN = Style(color=False)
COLORED = Style(color=True)

SENIOR = concurrency(25, web_chat=9, sms=6)
SOCIAL = concurrency(25, web_chat=4, sms=1, whatsapp=5)
MAIL = concurrency(8, email=8)
EVERY = Concurrency.of(40, {channel: index for index, channel in enumerate(Channel, start=1)})
LARGER = Concurrency.of(41, {channel: index for index, channel in enumerate(Channel, start=2)})
_PROFILES = (SENIOR, SOCIAL, MAIL, EVERY)


def planned(situation: Situation, *, allow_changes: int | None = None) -> Plan:
    return make_plan(
        situation.desired,
        situation.state,
        situation.options,
        session_keys=situation.session_keys,
        allow_changes=allow_changes,
    )


def text_of(plan: Plan, *, style: Style = PLAIN) -> str:
    return plan_text(plan, unchanged=len(plan.unchanged), style=style)


@functools.cache
def usual_text(name: str) -> str:
    """The text of one of `PLANS`, without colour."""
    return text_of(PLANS[name]())


def one_edit(before: Concurrency, after: Concurrency) -> Plan:
    return make_plan(desired({1001: after}), state({1001: before}))


def _sixty() -> Plan:
    before = fleet_of(range(1001, 1056), SENIOR)
    raised, lowered = concurrency(25, web_chat=9, sms=7), concurrency(25, web_chat=3, sms=6)
    after = {
        **fleet_of(range(1001, 1050), SENIOR),
        **fleet_of((1003, 1004, 1005, 1009, 1017), raised),
        **fleet_of(range(1020, 1030), lowered),
        1031: concurrency(25, web_chat=9),
        1032: concurrency(25, web_chat=0, sms=6),
        **fleet_of(range(1056, 1061), MAIL),
    }
    return make_plan(desired(after), state(before))


def _fleet(*, recorded: bool) -> dict[int, Concurrency]:
    """Ten thousand agents of four profiles, scattered; as recorded a little different from as desired."""
    profiles = (SENIOR, SOCIAL, MAIL, EVERY) if recorded else (SENIOR, concurrency(25, web_chat=3, sms=1), MAIL, LARGER)
    missing = 97 if recorded else 89
    return {number: profiles[number * 7 % 11 % 4] for number in range(1001, 11_001) if number % missing}


def ten_thousand(*, allow_changes: int | None = None) -> Plan:
    guardrails = GuardrailSettings(
        max_changed_agents=100, max_to_zero=10, protected_agents=(agent_range("1001-1020"), agent_range("9000"))
    )
    return make_plan(
        desired(_fleet(recorded=False), at=site(guardrails=guardrails)),
        state(_fleet(recorded=True)),
        allow_changes=allow_changes,
    )


def _omitting() -> Plan:
    settings = site(on_channel_removal=OnChannelRemoval.OMIT, on_agent_removal=OnAgentRemoval.RESET)
    return make_plan(desired(fleet_of(range(1001, 1011), MAIL), at=settings), state(fleet_of(range(1001, 1013), EVERY)))


def _partial() -> Plan:
    options = PlanOptions(
        scope=scope(agents="1001-1040,1044", excluded="1002", teams=["east", "night"], channels=["sms"]),
        reassert_all=True,
    )
    return make_plan(desired(fleet_of(range(1001, 1061), SENIOR)), state(fleet_of(range(1001, 1061), SENIOR)), options)


def _changed_since(changed: ChangedSince) -> Plan:
    options = PlanOptions(scope=Scope(changed=changed))
    return make_plan(desired(fleet_of(range(1001, 1061), SENIOR)), state(fleet_of(range(1001, 1061), MAIL)), options)


def _two(allow_changes: int | None = None) -> Plan:
    guardrails = GuardrailSettings(max_changed_agents=1, protected_agents=(agent_range("1002"),))
    return make_plan(
        desired({1001: SOCIAL, 1002: SOCIAL, 1003: MAIL}, at=site(guardrails=guardrails)),
        state({1001: SENIOR, 1002: SENIOR, 1003: MAIL}),
        allow_changes=allow_changes,
    )


def _attended() -> Plan:
    """Sixty agents of whom fifty are signed in, one of those anew and ten without a key; and some have waited."""
    everybody = [agent_id(number) for number in range(1001, 1061)]
    keys = {**dict.fromkeys(everybody[:40], "login-1"), **dict.fromkeys(everybody[40:50], None)}
    waits = {1051: waiting(since=NOW), 1054: waiting(attempts=3), 1055: waiting(retcode=None), 1031: waiting()}
    return make_plan(
        desired({**fleet_of(everybody, SENIOR), **fleet_of((1001, 1031, 1051, 1054, 1055, 1056), SOCIAL)}),
        state(dict.fromkeys(everybody, record(SENIOR, session="login-1")), pending=waits),
        PlanOptions(sessions=True),
        session_keys={**keys, agent_id(1002): "login-2"},
    )


def _signing_in() -> Plan:
    settings = SignInSessions(credentials=SecretReference.parse("env:PASSWORDS"))
    wanted = desired({1001: SOCIAL, 1002: SENIOR, 1003: MAIL}, at=site(sessions=settings, guardrails=NO_GUARDRAILS))
    return make_plan(wanted, state({1001: SENIOR, 1003: MAIL, 1004: MAIL}))


_COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _floor() -> Plan:
    """Three teams, a night shift cut down, a total that binds, people who move, some without a team, one outlier."""
    day, night = concurrency(12, web_chat=6, sms=4), concurrency(10, web_chat=8, whatsapp=2)
    recorded = {
        **dict.fromkeys(range(1001, 1041), record(day, team="east")),
        **dict.fromkeys(range(2001, 2031), record(night, team="night")),
        **dict.fromkeys(range(3001, 3011), record(SENIOR, team="vip", protected=True)),
        4001: record(MAIL, team=None),
        4002: record(MAIL, team=None),
    }
    wanted = {
        **dict.fromkeys(range(1001, 1033), desired_agent(day, team="east")),
        **dict.fromkeys(range(1033, 1037), desired_agent(concurrency(8, web_chat=6, sms=4), team="east")),
        **dict.fromkeys(range(1037, 1040), desired_agent(day, team="night")),
        **dict.fromkeys(range(2001, 2029), desired_agent(concurrency(10, web_chat=6, whatsapp=3), team="night")),
        2029: desired_agent(concurrency(10, web_chat=2, whatsapp=3), team="night"),
        **dict.fromkeys(range(3001, 3010), desired_agent(SENIOR, team="vip", protected=True)),
        3010: desired_agent(concurrency(25, web_chat=9, sms=2), team="vip"),
        4001: desired_agent(MAIL, team="mail"),
        4002: desired_agent(concurrency(8, email=0), team=None),
    }
    floors = (
        CapacityFloor(team="night", channel=Channel.WEB_CHAT, least=210),
        CapacityFloor(team=None, channel=Channel.WEB_CHAT, max_drop_percent=10),
    )
    limits = GuardrailSettings(capacity_floor=floors, max_delta={Channel.WEB_CHAT: 3, None: 4})
    return make_plan(desired(wanted, at=site(guardrails=limits)), state(recorded))


def _moving() -> Plan:
    wanted = {
        **dict.fromkeys(range(1001, 1031), desired_agent(SENIOR, team="night")),
        **dict.fromkeys(range(1031, 1051), desired_agent(SENIOR, team="east")),
        1051: desired_agent(SENIOR, team="east", protected=True),
    }
    return make_plan(desired(wanted), state(dict.fromkeys(range(1001, 1052), record(SENIOR, team="east"))))


_MAKERS: dict[str, Callable[[], Plan]] = {
    "one-agent": lambda: one_edit(concurrency(web_chat=3), concurrency(web_chat=4)),
    "every-reason": lambda: planned(one_of_each()),
    "every-reason-with-reset": lambda: planned(one_of_each(OnAgentRemoval.RESET)),
    "sixty-agents": _sixty,
    "ten-thousand-agents-refused": ten_thousand,
    "ten-thousand-agents-lifted": lambda: ten_thousand(
        allow_changes=len(PLANS["ten-thousand-agents-refused"]().changes)
    ),
    "first-plan": lambda: make_plan(
        desired({number: _PROFILES[number // 25 % 4] for number in range(1001, 1061)}), empty_state("demo")
    ),
    "nothing-to-do": lambda: make_plan(
        desired(fleet_of(range(1001, 1061), SENIOR)), state(fleet_of(range(1001, 1061), SENIOR))
    ),
    "nobody": lambda: make_plan(desired(), empty_state("demo")),
    "only-forgetting": lambda: make_plan(desired(), state({1001: SENIOR})),
    "omitted-channels": _omitting,
    "partial-scope": _partial,
    "changed-since": lambda: _changed_since(
        ChangedSince(revision="origin/main", commit=_COMMIT, agents=(agent_range("1002"), agent_range("1010-1012")))
    ),
    "changed-since-everybody": lambda: _changed_since(
        ChangedSince(revision="origin/main", commit=_COMMIT, everybody="gateway.url in site.yaml differs")
    ),
    "changed-since-nobody": lambda: _changed_since(ChangedSince(revision=_COMMIT, commit=_COMMIT)),
    "refused": _two,
    "wrong-approval": lambda: _two(allow_changes=3),
    "sessions-and-waits": _attended,
    "signing-in": _signing_in,
    "floor": _floor,
    "only-moves": _moving,
    "wrong-approval-alone": lambda: make_plan(desired({1001: SOCIAL}), state({1001: SENIOR}), allow_changes=2),
}
PLANS: dict[str, Callable[[], Plan]] = {name: functools.cache(make) for name, make in _MAKERS.items()}
"""Every plan worth looking at, by name; each is made once."""


def fates(plan: Plan) -> tuple[Outcome, ...]:
    """What may become of the calls of `plan`: mostly good."""
    random = Random(7)  # noqa: S311 - dice, not keys
    results = [Result.APPLIED, Result.DEFERRED, Result.FAILED, Result.IN_DOUBT, Result.SKIPPED]
    said = {
        Result.APPLIED: ("0", "success"),
        Result.DEFERRED: (None, "no session of this agent is known"),
        Result.FAILED: ("100-006", "the agent does not exist: check the agent id"),
        Result.IN_DOUBT: (None, "no answer within 10 s: it may have been taken or not, and nobody can tell from here"),
        Result.SKIPPED: (None, "the run stopped first"),
    }
    outcomes = []
    for change in plan.changes:
        result = Result.FORGOTTEN if isinstance(change, Forget) else random.choices(results, [88, 6, 3, 1, 2])[0]
        retcode, message = said.get(result, (None, ""))
        attempts = 0 if result in (Result.FORGOTTEN, Result.DEFERRED, Result.SKIPPED) else 1
        told = {"retcode": retcode, "message": message, "attempts": attempts}
        outcomes.append(outcome(change.agent, result, action=change.action, **told))
    return tuple(outcomes)


def outcome(agent: int, result: Result, **more: Any) -> Outcome:
    return Outcome(**{"agent": agent_id(agent), "action": Action.SET, "result": result, "attempts": 1, **more})


DIAGNOSTICS = (
    Diagnostic(
        path="agents/east.yaml",
        line=7,
        column=12,
        code="unknown-channel",
        summary="unknown channel 'web_caht'; did you mean 'web_chat'?",
        pointer="/agents/1001/channels/web_caht",
    ),
    Diagnostic(
        path="agents/east.yaml",
        line=9,
        column=3,
        code="duplicate-agent",
        summary="agent 1003 is declared twice",
        detail="the other declaration is agents/night.yaml:4:3",
        pointer="/agents/1003",
    ),
    Diagnostic(
        path="profiles.yaml",
        line=2,
        severity=Severity.WARNING,
        code="unused-profile",
        summary="no agent uses the profile 'social'",
    ),
    Diagnostic(path="site.yaml", code="missing-file", summary="site.yaml is missing"),
    Diagnostic(code="lock-held", summary="another run holds the lock", detail="wait for it, or break the lock"),
)


# Strategies

_NASTY = (
    "\x1b[31mred\x1b[0m",
    "a\nPlan: 0 set, 0 reassert, 0 forget, 0 reset, 0 unchanged; 0 calls.",
    "::error::x",
    " ::set-output name=x::y",
    "##[error]x",
    "##vso[task.complete]",
    "\u202egpj.exe",
    "\u2028::error::x",
    "\u00a0::error::x",
    "\x00",
    "\r",
    "\ud800",
    "\x9b31m",
    "x" * 400,
)
hostile = st.sampled_from(_NASTY) | st.lists(st.sampled_from(_NASTY) | st.text(max_size=5), max_size=3).map("".join)
"""Text from people who mean harm, or from a broken machine."""
unicode_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""Any text that UTF-8 can carry."""

plans = situations.map(planned)


def without_protection(change: Change) -> Change:
    return change if isinstance(change, Forget) else replace(change, protected=False)


def as_saved(plan: Plan) -> Plan:
    """What a document keeps of `plan`."""
    return replace(plan, unchanged=(), changes=tuple(map(without_protection, plan.changes)))


def renamed(plan: Plan, names: Sequence[str]) -> Plan:
    """`plan` with other names in the place of `TEAMS`."""
    given: dict[str | None, str | None] = {None: None, **dict(zip(TEAMS, names, strict=True))}
    name = given.__getitem__
    return replace(
        plan,
        changes=tuple(replace(change, team=name(change.team)) for change in plan.changes),
        capacity=tuple(replace(row, team=name(row.team)) for row in plan.capacity),
        standing=tuple(
            replace(
                each,
                before=replace(each.before, team=name(each.before.team)),
                after=replace(each.after, team=name(each.after.team)),
            )
            for each in plan.standing
        ),
    )


@st.composite
def written_by_others(draw: st.DrawFn, words: st.SearchStrategy[str]) -> Plan:
    """A plan in which every text that comes from elsewhere is drawn from `words`."""
    plan = renamed(draw(plans), draw(st.lists(words, min_size=len(TEAMS), max_size=len(TEAMS), unique=True)))
    source = st.none() | st.builds(Source, words, st.integers(1, 99))
    changes = [
        replace(
            change,
            source=draw(source),
            edits=tuple(replace(edit, cause=draw(source)) for edit in change.edits),
        )
        for change in plan.changes
    ]
    findings = [
        replace(finding, guardrail=draw(words), planned=draw(words), limit=draw(words)) for finding in plan.findings
    ]
    changed = st.builds(ChangedSince, revision=words, commit=words, everybody=words)
    selected = replace(
        plan.options.scope,
        teams=tuple(draw(st.lists(words, max_size=2))),
        changed=draw(st.just(plan.options.scope.changed) | changed),
    )
    options = replace(plan.options, scope=selected)
    return replace(
        plan, site=draw(words), url=draw(words), options=options, changes=tuple(changes), findings=tuple(findings)
    )
