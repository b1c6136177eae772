"""The daemon itself: liveness, what it is, what it can do, pushes, and the operator's rows."""

import pytest

from kycmanager import __version__
from kycmanager.commands import TABLE
from kycmanager.commands.execute import Codec
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError
from kycmanager.tokens.issue import issue_token
from kycmanager.tokens.keys import load_keys


async def test_ping_and_facts(daemon):
    assert await daemon.customer().call("Ping") == {"pong": True, "time": daemon.now}
    started = daemon.now
    daemon.now += 5
    await daemon.document(step_id=await daemon.step())
    assert await daemon.manager().call("ServerInfo") == {
        "name": "kycmanager", "version": __version__, "time": daemon.now, "started_time": started, "event_seq": 4,
        "profiles": 1, "steps": 1, "documents": 1, "templates": 1, "connections": 0, "queue_depth": 0,
    }  # fmt: skip


async def test_describe_shows_every_row_a_token_reaches(daemon):
    reply = await daemon.manager().call("Describe")
    rows = {row["name"]: row for row in reply["commands"]}
    assert set(rows) == {command.name for command in TABLE if not command.name.startswith("Sys")}
    step = rows["MngGetKycStep"]
    assert (step["kind"], step["methods"], step["path"]) == ("read", ["GET"], "/manager/kyc/steps/{id}")
    assert step["sessions"] == ["manager", "dealer", "admin", "crm_manager", "crm_admin"]
    assert {"INVALID_DATA", "RET_NOT_FOUND", "PERMISSION_DENIED"} <= set(step["errors"])
    assert {"OUTCOME_UNKNOWN", "IDEMPOTENCY_CONFLICT"} <= set(rows["MngSkipKycStep"]["errors"])
    for row in rows.values():
        for schema in (row["request"], row["reply"]):
            assert schema["$ref"].removeprefix("#/definitions/") in reply["definitions"]


class Recorder:
    def __init__(self):
        self.seen = []

    def subscribe(self, session, channels, after_seq):
        self.seen.append((session.sub, channels, after_seq))

    def unsubscribe(self, channels):
        self.seen.append(channels)


def subscribed(daemon, caller, data, command="Subscribe"):
    recorder, executor, found = Recorder(), daemon.core.executor, []
    call = executor.admit(executor.find(command), caller.session, data, source="test")
    executor.run(call, Codec("x", repr), found.append, recorder)
    return found[0].code.status if isinstance(found[0], KycError) else recorder.seen


async def test_channels(daemon):
    boss, customer = daemon.manager(), daemon.customer()
    system = daemon.manager(type=SessionType.SYSTEM)
    own = "kyc:acme:7"
    for caller, data, expected in (
        (boss, {"chanels": ["kyc", "EURUSD"], "channels": ["kyc:acme"]}, [(1, ("kyc", "kyc:acme"), None)]),
        (boss, {"chanels": ["kyc:x:1"], "after_seq": 5}, [(1, ("kyc:x:1",), 5)]),
        (boss, {"chanels": ["EURUSD", "kycx"]}, [(1, (), None)]),
        (boss, {}, [(1, (), None)]),
        (customer, {"chanels": [own, "EURUSD"]}, [(7, (own,), None)]),
        (customer, {"chanels": ["kyc"]}, 403),
        (customer, {"chanels": ["kyc:acme"]}, 403),
        (customer, {"chanels": [own, "kyc:acme:8"]}, 403),
        (customer, {"chanels": ["kyc:beta:7"]}, 403),
        (system, {"chanels": ["kyc"]}, 403),
        (system, {"chanels": ["EURUSD"]}, [(1, (), None)]),
    ):
        assert subscribed(daemon, caller, data) == expected
    assert subscribed(daemon, boss, {"chanels": ["kyc"]}, "Unsubscribe") == [("kyc",)]


async def test_pushes_need_a_connection(daemon):
    for command in ("Subscribe", "Unsubscribe"):
        answer = (405, "RET_INVALID_METHOD", "Pushes need a connection; use TCP")
        assert await daemon.boss.refused(command, {"chanels": ["kyc"]}) == answer


async def test_no_session_reaches_the_operators_rows(daemon):
    for command in ("SysExpireDue", "SysRevokeToken", "SysRevokeSubject", "SysCheck", "SysVerify"):
        for type_ in SessionType:
            assert (await daemon.manager(None, type=type_).refused(command))[0] == 403


def token(daemon, sub=5, now=None):
    keys = load_keys(daemon.core.config.tokens, daemon.folder)
    return issue_token(
        keys.signing, session=SessionType.MANAGER, sub=sub, brands=["acme"], now=now or daemon.now, ttl_seconds=3600
    )


async def test_a_revoked_token_is_refused_for_good(daemon):
    good, bad = token(daemon), token(daemon)
    jti = daemon.core.executor.authenticate(bad).jti
    daemon.core.executor.authenticate(good)
    assert await daemon.local("SysRevokeToken", {"jti": jti, "expires": daemon.now + 3600}) == {"accepted": True}
    for _ in range(2):
        assert daemon.core.executor.authenticate(good).sub == 5
        with pytest.raises(KycError):
            daemon.core.executor.authenticate(bad)
        await daemon.restart()
    (row,) = await daemon.audit()
    assert (row.action, row.details, row.actor_session, row.source) == ("token.revoked", {"jti": jti}, 4, "control")
    daemon.now += 3601
    await daemon.core.forget()
    assert len(daemon.core.revocations) == 0


async def test_a_revoked_subject_gets_new_tokens(daemon):
    old, other = token(daemon), token(daemon, sub=6)
    data = {"session": 1, "sub": 5, "not_before": daemon.now + 1}
    assert await daemon.local("SysRevokeSubject", data) == {"accepted": True}
    for _ in range(2):
        daemon.core.executor.authenticate(other)
        with pytest.raises(KycError):
            daemon.core.executor.authenticate(old)
        await daemon.restart()
    assert daemon.core.executor.authenticate(token(daemon, now=daemon.now + 1)).sub == 5


async def test_counts_and_files_are_checked(daemon):
    await daemon.document(step_id=await daemon.step())
    counts = {"templates": 1, "profiles": 1, "steps": 1, "documents": 1, "events": 4}
    assert await daemon.local("SysCheck", {}) == counts
    assert await daemon.local("SysVerify", {}) == {"checked": 1, "faults": []}


async def test_what_is_wrong_with_files_is_named(daemon):
    gone, damaged = await daemon.upload(), await daemon.upload()
    folder = daemon.folder / "storage"
    (folder / f"{gone}.txt.sealed").unlink()
    (folder / f"{damaged}.txt.sealed").write_text("something else\n")
    (folder / "5d1f3a52-0000-4000-8000-000000000000.txt").write_text("nobody knows me\n")
    reply = await daemon.local("SysVerify", {})
    assert reply["checked"] == 2
    assert sorted((fault["object"].partition(".")[0], fault["fault"]) for fault in reply["faults"]) == sorted(
        [(gone, "is missing"), (damaged, "is damaged"), ("5d1f3a52-0000-4000-8000-000000000000", "has no row")]
    )
