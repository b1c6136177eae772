"""The real process, killed while it indexes answers: it goes on, finds everybody, and keeps nothing of who is erased."""

import asyncio
import contextlib
import sqlite3

from running import eventually
from wires import Tcp

from kycmanager.cli import control
from kycmanager.domain.enums import SessionType

BRAND = "acme"
CUSTOMERS = 160
LANES = 8
FORM = {"sections": [{"fields": [{"name": "who", "type": "text"}, {"name": "born", "type": "date"}]}]}


def serve(process, *fields):
    """Start with these search fields, after a kill where it runs."""
    process.kill()
    names = ", ".join(f'"{name}"' for name in fields)
    process.config.write_text(f"[backoffice]\nsearch_fields = [{names}]\n")
    process.start()


async def hand_in(process, lane):
    admin = process.token(SessionType.ADMIN, 1)
    async with Tcp(process.tcp) as tcp:
        for customer in range(1 + lane, CUSTOMERS + 1, LANES):
            who = {"customer_id": customer, "brand": BRAND}
            await tcp.call("MngSetKycRequiredLevel", {**who, "level": 1}, admin)
            found = await tcp.call("MngGetKycProfile", who, admin)
            answers = {"who": f"Name {customer}", "born": f"20{customer % 100:02}-01-01"}
            step = {"id": found.body["steps"][0]["id"], "answers": answers}
            done = await tcp.call("CustomerSubmitKycStep", step, process.token(SessionType.CUSTOMER, customer, BRAND))
            assert done.status == 200, done.body


async def search(process, field, *values):
    """Return the customers found by each value, and whether some reply was partial."""
    admin = process.token(SessionType.ADMIN, 1)
    async with Tcp(process.tcp) as tcp:
        replies = [(await tcp.call("MngSearchKyc", {"field": field, "value": each}, admin)).body for each in values]
    return [[row["customer_id"] for row in body["rows"]] for body in replies], any(
        "partial" in body for body in replies
    )


async def whole(process, field):
    while (await search(process, field, "nobody"))[1]:
        await asyncio.sleep(0.05)


def cursor(process):
    """Up to which profile the base knows answers; 0 where it cannot be asked, or none is kept."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(base(process)) as db:
        return max([found for (found,) in db.execute("SELECT cursor FROM lookup_mark")], default=0)
    return 0


def base(process):
    return sqlite3.connect(f"file:{process.folder}/bases/kyc.db?mode=ro", uri=True)


async def test_killed_while_it_indexes_it_goes_on(process, tmp_path):
    admin = process.token(SessionType.ADMIN, 1)
    async with Tcp(process.tcp) as tcp:
        template = {"brand": BRAND, "code": "form", "level": 1, "step_type": 1, "form_schema": FORM}
        assert (await tcp.call("MngAddKycStepTemplate", template, admin)).status == 200
    await asyncio.gather(*(hand_in(process, lane) for lane in range(LANES)))
    names = [f" NAME  {customer}" for customer in range(1, CUSTOMERS + 1)]
    everybody = [[customer] for customer in range(1, CUSTOMERS + 1)]
    for fields in (("who",), ("born", "who")):
        await asyncio.to_thread(serve, process, *fields)
        await eventually(lambda: cursor(process) != 0, 30)
        process.kill()
        await asyncio.to_thread(process.start)
        await whole(process, "who")
        assert await search(process, "who", *names) == (everybody, False)
    assert (await search(process, "born", "2005-1-1"))[0] == [[5, 105]]
    control_call = (process.folder, "SysEraseKycCustomer", {"customer_id": 5, "brand": BRAND}, lambda *_: None)
    await asyncio.to_thread(control.call, *control_call)
    assert (await search(process, "born", "2005-01-01"))[0] == [[105]]
    assert (await search(process, "who", "Name 5"))[0] == [[]]
    with contextlib.closing(base(process)) as db:
        assert db.execute("SELECT count(*) FROM lookup").fetchone() == (CUSTOMERS - 1,)
    process.kill()
    await asyncio.to_thread(still_holds, process, tmp_path)
    await asyncio.to_thread(process.start)
    assert await search(process, "who", "Name 5", "Name 6") == ([[], [6]], False)


def still_holds(process, tmp_path):
    """Verify, prove the audit, back up and restore what a kill has left."""
    checked = process.run("check")
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, "search fields: ok"), checked.stderr
    for words in (("verify",), ("audit", "verify")):
        done = process.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    done = process.run("backup", more=("--to", str(tmp_path / "copy")))
    assert done.returncode == 0, done.stderr
    kept = process.config.read_text()
    process.config.write_text('[backoffice]\nsearch_fields = ["whoo", "born"]\n')
    told = process.run("check")
    assert (told.returncode, "no form has a field 'whoo'; did you mean 'who'?" in told.stderr) == (1, True), told.stderr
    process.config.write_text('[backoffice]\nsearch_fields = ["xyz"]\n')
    assert "add the field to a template first" in process.run("check").stderr
    process.config.write_text(kept)
