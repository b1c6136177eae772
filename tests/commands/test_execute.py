"""The gate: commands found, callers checked, faults turned into one answer each, prepared replies used."""

import asyncio

import msgspec
import pytest

from kycmanager.commands.execute import Codec
from kycmanager.commands.model import Kind
from kycmanager.domain.errors import Code, KycError

JSON = Codec("json", msgspec.json.encode)
UNKNOWN = (503, "OUTCOME_UNKNOWN", "The base failed while writing; read the record before trying again")


async def test_an_unknown_command(daemon):
    for name in ("MngFly", "", "mnggetkycstep"):
        answer = (405, "RET_INVALID_METHOD", "Unknown command; Describe lists the known ones")
        assert await daemon.boss.refused(name) == answer


async def test_no_token(daemon):
    for token in (None, "", "x", "a.b.c"):
        with pytest.raises(KycError) as caught:
            daemon.core.executor.authenticate(token)
        assert (caught.value.code, caught.value.code.status) == (Code.UNAUTHENTICATED, 401)


async def test_a_session_comes_before_the_data(daemon):
    for command, data in (("MngGetKycStep", {"id": "x"}), ("MngAddKycStepTemplate", {})):
        answer = (403, "PERMISSION_DENIED", "This session may not do that")
        assert await daemon.customer().refused(command, data) == answer


def broken(daemon, name, error):
    """Give a command a handler that raises."""
    executor = daemon.core.executor

    def fail(*_):
        raise error

    executor.commands[name] = msgspec.structs.replace(executor.commands[name], handler=fail)


@pytest.mark.parametrize(
    ("command", "data"),
    [
        ("Ping", {}),
        ("MngGetKycAudit", {}),
        ("MngSetKycRisk", {"customer_id": 7, "brand": "acme", "risk_level": 1}),
        ("MngAddKycDocument", {"kyc_id": 1}),
    ],
)
async def test_a_fault_is_one_answer_that_tells_nothing(daemon, command, data):
    await daemon.step()
    if command == "MngAddKycDocument":
        data["file_id"] = await daemon.upload()
    rows = len(await daemon.audit())
    broken(daemon, command, RuntimeError("secret of Jane"))
    with pytest.raises(KycError) as caught:
        await daemon.boss.call(command, data)
    assert (caught.value.code, caught.value.message) == (Code.INTERNAL, "Something failed here; the log knows")
    assert list(caught.value.data) == ["correlation_id"]
    assert len(await daemon.audit()) == rows
    assert (await daemon.boss.call("ServerInfo"))["profiles"] == 1
    await daemon.core.tasks.finish()
    if "file_id" in data:
        assert (await daemon.core.storage.get(data["file_id"])).pins == 0


async def test_a_reply_that_cannot_be_written_fails_alone(daemon):
    executor = daemon.core.executor
    await daemon.template("one")

    def refuse(_value):
        raise ValueError("no such thing on this wire")

    found = asyncio.get_running_loop().create_future()
    data = {"customer_id": 7, "brand": "acme", "level": 1}
    call = executor.admit(executor.find("MngSetKycRequiredLevel"), daemon.boss.session, data, source="test")
    executor.run(call, Codec("odd", refuse), found.set_result)
    assert (await found).code is Code.INTERNAL
    assert (await daemon.profile())["required_level"] == 1
    await daemon.step("one")


async def test_a_reply_that_cannot_be_written_keeps_the_file_of_its_document(daemon):
    executor = daemon.core.executor
    await daemon.step()
    data = {"kyc_id": 1, "file_id": await daemon.upload()}

    def refuse(_value):
        raise ValueError("no such thing on this wire")

    found = asyncio.get_running_loop().create_future()
    call = executor.admit(executor.find("MngAddKycDocument"), daemon.boss.session, data, source="test")
    executor.run(call, Codec("odd", refuse), found.set_result)
    assert (await found).code is Code.INTERNAL
    await daemon.core.tasks.finish()
    assert len(daemon.core.cache.documents) == 1
    assert (await daemon.core.storage.get(data["file_id"])).pins == 1


async def test_a_caller_that_raises_does_not_stop_the_strand(daemon):
    executor = daemon.core.executor

    def refuse(_result):
        raise ConnectionError("gone")

    data = {"customer_id": 7, "brand": "acme", "level": 1}
    call = executor.admit(executor.find("MngSetKycRequiredLevel"), daemon.boss.session, data, source="test")
    executor.run(call, JSON, refuse)
    assert await daemon.boss.call("MngSetKycRequiredLevel", {**data, "customer_id": 8}) == {"accepted": True}
    assert len(daemon.core.cache.profiles) == 2


async def test_an_unknown_outcome_keeps_the_file(daemon):
    await daemon.step()
    data = {"kyc_id": 1, "file_id": await daemon.upload()}
    broken(daemon, "MngAddKycDocument", KycError(Code.OUTCOME_UNKNOWN, UNKNOWN[2]))
    assert await daemon.boss.refused("MngAddKycDocument", data) == UNKNOWN
    await daemon.core.tasks.finish()
    assert (await daemon.core.storage.get(data["file_id"])).pins == 1


async def test_a_full_queue_lets_the_file_go(daemon):
    await daemon.step()
    data = {"kyc_id": 1, "file_id": await daemon.upload()}
    await daemon.core.strand.close()
    assert (await daemon.boss.refused("MngAddKycDocument", data))[:2] == (503, "RET_ERR_SHUTDOWN")
    await daemon.core.tasks.finish()
    assert (await daemon.core.storage.get(data["file_id"])).pins == 0


async def test_prepared_replies_are_used_and_dropped(daemon):
    step_id = await daemon.step()
    for command, data, target in (("MngGetKycProfile", {"id": 1}, 1), ("MngGetKycStep", {"id": step_id}, step_id)):
        first = await daemon.boss.call(command, data)
        kept = daemon.core.replies.get(command, "json", target)
        assert msgspec.json.decode(kept) == first
        daemon.core.replies.put(command, "json", target, "acme", b'"told from memory"')
        assert await daemon.boss.call(command, data) == "told from memory"
        assert await daemon.manager(("beta",)).refused(command, data) != "told from memory"
        await daemon.document(step_id=step_id)
        assert daemon.core.replies.get(command, "json", target) is None
        assert len((await daemon.boss.call(command, data))["documents"]) == len(first["documents"]) + 1


async def test_reads_answer_at_once(daemon):
    await daemon.step()
    executor = daemon.core.executor
    for command in executor.commands.values():
        if command.kind is Kind.READ and command.name.startswith("Mng"):
            data = {"id": 1, "kyc_id": 1, "customer_id": 7, "brand": "acme", "level": 1}
            call = executor.admit(command, daemon.boss.session, data, source="test")
            found = []
            executor.run(call, JSON, found.append)
            assert isinstance(found[0], bytes)
