"""The real process, killed while it counts: what it tells of the work is what the audit tells, nothing lost or doubled."""

import asyncio
import contextlib
from collections import Counter

from wires import Tcp

from kycmanager.domain.enums import SessionType

BRAND = "acme"
LANES = 4


async def work(process, lane, begun):
    """Ask, hand in, claim and decide for one customer after another, until the process is gone."""
    admin = process.token(SessionType.ADMIN, 1)
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        async with Tcp(process.tcp) as tcp:
            for customer in range(begun + lane, begun + 100_000, LANES):
                who = {"customer_id": customer, "brand": BRAND}
                await tcp.call("MngSetKycRequiredLevel", {**who, "level": 1}, admin)
                found = await tcp.call("MngGetKycProfile", who, admin)
                if found.status != 200:
                    return
                step = {"id": found.body["steps"][0]["id"]}
                await tcp.call("CustomerSubmitKycStep", step, process.token(SessionType.CUSTOMER, customer, BRAND))
                if customer % 3 == 0:
                    await tcp.call("MngClaimKycCase", {"kyc_id": found.body["profile"]["id"]}, admin)
                decision = ("MngApproveKycStep", "MngRejectKycStep", "Ping")[customer // LANES % 3]
                await tcp.call(decision, {**step, "reason": f"r{customer % 2}"}, admin)


async def told(process):
    """Return what the statistics tell once they are whole, and all rows of the audit in their order."""
    admin = process.token(SessionType.ADMIN, 1)
    async with Tcp(process.tcp) as tcp:
        while (found := (await tcp.call("MngGetKycStatistics", {}, admin)).body)["uncounted"]:
            await asyncio.sleep(0.1)
        rows, after = [], ""
        while after is not None:
            asked = {"limit": 1000, **({"after": after} if after else {})}
            page = (await tcp.call("MngGetKycAudit", asked, admin)).body
            rows, after = [*page["rows"], *rows], page["next"]
    return found, sorted(rows, key=lambda row: row["id"])


def touched(rows):
    """Count the cases of one step that were handed in and then claimed or decided."""
    waiting, count = set(), 0
    for row in rows:
        if row["action"] == "step.submitted":
            waiting.add(row["kyc_id"])
        elif row["action"] in {"case.claimed", "step.approved", "step.rejected"} and row["kyc_id"] in waiting:
            waiting.discard(row["kyc_id"])
            count += 1
    return count


async def test_killed_at_any_moment_it_counts_nothing_twice_and_loses_nothing(process):
    admin = process.token(SessionType.ADMIN, 1)
    async with Tcp(process.tcp) as tcp:
        await tcp.call("MngAddKycStepTemplate", {"brand": BRAND, "code": "form", "level": 1, "step_type": 1}, admin)
    for number, end in enumerate((process.stop, process.kill, process.kill)):
        lanes = [asyncio.create_task(work(process, lane, 1 + number * 100_000)) for lane in range(LANES)]
        await asyncio.sleep(1.3)
        await asyncio.to_thread(end)
        await asyncio.gather(*lanes)
        process.start()
        found, rows = await told(process)
        counted = Counter((row["action"], row["reason"]) for row in rows)
        handed_in = sum(count for (action, _), count in counted.items() if action == "step.submitted")
        assert sum(day["submitted"] for day in found["days"]) == handed_in > 10 * number
        decided = {key: count for key, count in counted.items() if key[0] in {"step.approved", "step.rejected"}}
        assert {(f"step.{each['kind']}", each["reason"]): each["decisions"] for each in found["reasons"]} == decided
        assert found["decision"]["counted"] == sum(decided.values())
        assert found["first_touch"]["counted"] == touched(rows)
