"""One long history of calls: every command a token can reach, its successes and its refusals, with literal ids.

Played on a fresh daemon whose clock stands still within a call, it gives the same replies over every way in.
"""

from typing import Any, NamedTuple

from kycmanager.demo.forms import ANSWERS, FAULTY_ANSWERS, FORM

FUTURE = 1_900_000_000


class Line(NamedTuple):
    """Who asks what, and the status that comes. `$a` in the data is the uuid of an uploaded file."""

    status: int
    who: str
    command: str
    data: dict[str, Any]
    key: str = ""


def template(code: str, **fields: Any) -> dict[str, Any]:
    return {"brand": "acme", "code": code, "level": 1, **fields}


_BAD_FORM = {"sections": [{"fields": [{"name": "a", "type": "colour"}, {"name": "a", "type": "text"}]}]}
_REQUIRE = {"customer_id": 7, "brand": "acme", "step_code": "manual"}
_LEVEL = {"customer_id": 7, "brand": "acme", "level": 2, "reason": "deposit"}

_ALL_FIELDS = {
    "id": 2,
    "brand": "zeta",
    "code": "moved",
    "level": 9,
    "name": "Moved",
    "description": "to another brand",
    "step_type": 2,
    "required": 0,
    "status": 1,
    "sort_index": 77,
    "requirements": {"documents": ["two"]},
    "form_schema": {"sections": []},
}

TEMPLATES = (
    Line(200, "manager", "MngAddKycStepTemplate", template("paper", name="Paper – ‘quoted’, ]", sort_index=-3)),
    Line(200, "manager", "MngAddKycStepTemplate", template("form", step_type=1, form_schema=FORM, level=2)),
    Line(
        200,
        "all",
        "MngAddKycStepTemplate",
        template("manual", step_type=4, required=0, requirements={"a": [1, 2.5, None]}),
    ),
    Line(200, "manager", "MngAddKycStepTemplate", template("spare", step_type=2), "key-1"),
    Line(200, "manager", "MngAddKycStepTemplate", template("spare", step_type=2), "key-1"),
    Line(409, "manager", "MngAddKycStepTemplate", template("other"), "key-1"),
    Line(409, "manager", "MngAddKycStepTemplate", template("paper")),
    Line(400, "manager", "MngAddKycStepTemplate", template("bad", form_schema=_BAD_FORM)),
    Line(400, "manager", "MngAddKycStepTemplate", {"brand": "acme", "code": "bad"}),
    Line(400, "manager", "MngAddKycStepTemplate", template("bad code")),
    Line(400, "manager", "MngAddKycStepTemplate", template("bad", level="1")),
    Line(400, "manager", "MngAddKycStepTemplate", template("bad", step_type=9)),
    Line(404, "manager", "MngAddKycStepTemplate", {**template("paper"), "brand": "zeta"}),
    Line(403, "customer", "MngAddKycStepTemplate", template("bad")),
    Line(401, "nobody", "MngAddKycStepTemplate", template("bad")),
    Line(200, "manager", "MngUpdateKycStepTemplate", {"id": 4, "name": "Spare", "status": 1, "version": 1}),
    Line(409, "manager", "MngUpdateKycStepTemplate", {"id": 4, "name": "Late", "version": 1}),
    Line(409, "manager", "MngUpdateKycStepTemplate", {"id": 4, "code": "paper"}),
    Line(400, "manager", "MngUpdateKycStepTemplate", {"id": 4, "status": 3}),
    Line(404, "manager", "MngUpdateKycStepTemplate", {"id": 99, "name": "None"}),
    Line(200, "manager", "MngGetKycStepTemplate", {"id": 1}),
    Line(404, "other", "MngGetKycStepTemplate", {"id": 1}),
    Line(400, "manager", "MngGetKycStepTemplate", {"id": 0}),
    Line(200, "manager", "MngGetKycStepTemplates", {"brand": "acme", "limit": 2}),
    Line(200, "manager", "MngGetKycStepTemplates", {"brand": "acme", "limit": 2, "offset": 2}),
    Line(200, "manager", "MngGetKycStepTemplates", {"status": 1}),
    Line(200, "manager", "MngGetKycStepTemplates", {"step_type": 4, "level": 1, "code": "manual"}),
    Line(200, "manager", "MngGetKycStepTemplates", {"brand": "zeta"}),
    Line(400, "manager", "MngGetKycStepTemplates", {"limit": 1001}),
    Line(400, "manager", "MngGetKycStepTemplates", {"after": "nonsense"}),
)

ASKED = (
    Line(200, "customer", "CustomerGetKycStatus", {}),
    Line(200, "customer", "CustomerGetKycDocuments", {}),
    Line(200, "manager", "MngGetKycGate", {"customer_id": 7, "brand": "acme"}),
    Line(404, "manager", "MngGetKycProfile", {"customer_id": 7, "brand": "acme"}),
    Line(200, "system", "kyc.set_required_level", _LEVEL, "hook-1"),
    Line(200, "system", "kyc.set_required_level", _LEVEL, "hook-1"),
    Line(409, "system", "kyc.set_required_level", {**_LEVEL, "level": 3}, "hook-1"),
    Line(403, "system", "MngSetKycRequiredLevel", _LEVEL),
    Line(200, "manager", "MngSetKycRequiredLevel", {**_LEVEL, "level": 1, "source": "desk"}),
    Line(400, "manager", "MngSetKycRequiredLevel", {**_LEVEL, "level": 101}),
    Line(404, "manager", "MngSetKycRequiredLevel", {**_LEVEL, "brand": "zeta"}),
    Line(200, "manager", "MngRequireKycStep", {**_REQUIRE, "level": 5}),
    Line(404, "manager", "MngRequireKycStep", {**_REQUIRE, "step_code": "none"}),
    Line(404, "manager", "MngRequireKycStep", {**_REQUIRE, "step_code": "spare"}),
    Line(200, "system", "kyc.require_step", {**_REQUIRE, "customer_id": 8, "step_code": "form"}),
    Line(404, "system", "kyc.require_step", {**_REQUIRE, "step_code": "none"}),
    Line(200, "manager", "MngSetKycRisk", {"customer_id": 7, "brand": "acme", "risk_level": 1, "reason": "clean"}),
    Line(400, "manager", "MngSetKycRisk", {"customer_id": 7, "brand": "acme", "risk_level": 5}),
    Line(200, "manager", "MngGetKycProfile", {"id": 1}),
    Line(200, "manager", "MngGetKycProfile", {"id": 1}),
    Line(200, "manager", "MngGetKycProfile", {"customer_id": 8, "brand": "acme"}),
    Line(400, "manager", "MngGetKycProfile", {"id": 0}),
    Line(400, "manager", "MngGetKycProfile", {"id": -1}),
    Line(404, "other", "MngGetKycProfile", {"id": 1}),
    Line(200, "manager", "MngGetKycProfiles", {"brand": "acme", "required_level": 2, "order": "-updated_time"}),
    Line(200, "manager", "MngGetKycProfiles", {"customer_id": 8, "updated_from": 1, "updated_to": FUTURE}),
    Line(200, "other", "MngGetKycProfiles", {"brand": "acme"}),
    Line(400, "manager", "MngGetKycProfiles", {"order": "name"}),
    Line(200, "manager", "MngGetKycStep", {"id": 2}),
    Line(200, "manager", "MngGetKycStep", {"id": 2}),
    Line(404, "manager", "MngGetKycStep", {"id": 99}),
    Line(400, "manager", "MngGetKycStep", {"id": "two"}),
    Line(200, "customer", "CustomerGetKycStatus", {}),
    Line(200, "customer", "CustomerGetKycStep", {"id": 1}),
    Line(403, "customer", "CustomerGetKycStep", {"id": 4}),
    Line(404, "customer", "CustomerGetKycStep", {"id": 99}),
    Line(403, "manager", "CustomerGetKycStep", {"id": 1}),
)

HANDED_IN = (
    Line(400, "customer", "CustomerSubmitKycStep", {"id": 1}),
    Line(
        200,
        "customer",
        "CustomerAddKycDocument",
        {"kyc_id": 1, "file_id": "$a", "step_id": 1, "type": "passport"},
        "doc-1",
    ),
    Line(
        200,
        "customer",
        "CustomerAddKycDocument",
        {"kyc_id": 1, "file_id": "$a", "step_id": 1, "type": "passport"},
        "doc-1",
    ),
    Line(400, "customer", "CustomerAddKycDocument", {"kyc_id": 1}),
    Line(400, "customer", "CustomerAddKycDocument", {"kyc_id": 1, "file_id": "no-uuid"}),
    Line(403, "customer", "CustomerAddKycDocument", {"kyc_id": 2, "file_id": "$a"}),
    Line(403, "customer", "CustomerAddKycDocument", {"kyc_id": 1, "file_id": "$m"}),
    Line(404, "customer", "CustomerAddKycDocument", {"kyc_id": 9, "file_id": "$a"}),
    Line(404, "customer", "CustomerAddKycDocument", {"kyc_id": 1, "file_id": "00000000-0000-4000-8000-000000000000"}),
    Line(200, "manager", "MngAddKycDocument", {"customer_id": 7, "brand": "acme", "file_id": "$m"}),
    Line(200, "manager", "MngAddKycDocument", {"kyc_id": 1, "file_id": "$b", "type": "letter"}),
    Line(400, "manager", "MngAddKycDocument", {"file_id": "$m"}),
    Line(404, "manager", "MngAddKycDocument", {"kyc_id": 2, "file_id": "$a"}),
    Line(200, "customer", "CustomerSubmitKycStep", {"id": 1}, "hand-1"),
    Line(200, "customer", "CustomerSubmitKycStep", {"id": 1}, "hand-1"),
    Line(409, "customer", "CustomerSubmitKycStep", {"id": 1}),
    Line(400, "customer", "CustomerSubmitKycStep", {"id": 2, "answers": FAULTY_ANSWERS}),
    Line(
        200,
        "customer",
        "CustomerSaveKycAnswers",
        {"id": 2, "answers": {"full_name": "Zoë \u2028 'x', ]", "income": 1.5}},
    ),
    Line(400, "customer", "CustomerSaveKycAnswers", {"id": 2, "answers": {"country": "XX", "nothing": 1}}),
    Line(400, "customer", "CustomerSaveKycAnswers", {"id": 2}),
    Line(409, "customer", "CustomerSaveKycAnswers", {"id": 1, "answers": {}}),
    Line(403, "customer", "CustomerSubmitKycStep", {"id": 4, "answers": {}}),
    Line(200, "customer", "CustomerSubmitKycStep", {"id": 2, "answers": ANSWERS}),
    Line(200, "customer", "CustomerGetKycDocuments", {"step_id": 1}),
    Line(403, "customer", "CustomerGetKycDocuments", {"step_id": 4}),
    Line(404, "customer", "CustomerGetKycDocuments", {"step_id": 99}),
    Line(200, "manager", "MngGetKycDocuments", {"customer_id": 7, "brand": "acme"}),
    Line(200, "manager", "MngGetKycDocuments", {"kyc_id": 1, "status": 1, "type": "passport"}),
    Line(200, "manager", "MngGetKycDocuments", {"step_id": 1}),
    Line(400, "manager", "MngGetKycDocuments", {"status": 6}),
)

DECIDED = (
    Line(200, "manager", "MngApproveKycDocument", {"id": 1, "comment": "fine", "expire_time": FUTURE}),
    Line(409, "manager", "MngApproveKycDocument", {"id": 1}),
    Line(400, "manager", "MngApproveKycDocument", {"id": 2, "expire_time": 5}),
    Line(400, "manager", "MngRejectKycDocument", {"id": 1}),
    Line(200, "manager", "MngRejectKycDocument", {"id": 1, "reason": "forged"}),
    Line(404, "manager", "MngRejectKycDocument", {"id": 99}),
    Line(200, "manager", "MngDeleteKycDocument", {"id": 2, "reason": "wrong customer"}),
    Line(409, "manager", "MngDeleteKycDocument", {"id": 2}),
    Line(404, "other", "MngDeleteKycDocument", {"id": 3}),
    Line(200, "manager", "MngRejectKycStep", {"id": 2, "reason": "unclear", "comment": "ask again"}),
    Line(409, "manager", "MngRejectKycStep", {"id": 2, "reason": "unclear"}),
    Line(409, "manager", "MngApproveKycStep", {"id": 2}),
    Line(200, "customer", "CustomerGetKycStep", {"id": 2}),
    Line(404, "other", "MngReopenKycStep", {"id": 2}),
    Line(200, "manager", "MngReopenKycStep", {"id": 2, "reason": "mistake", "comment": "it was clear"}),
    Line(409, "manager", "MngReopenKycStep", {"id": 2}),
    Line(200, "manager", "MngRejectKycStep", {"id": 2, "reason": "unclear"}),
    Line(200, "customer", "CustomerSubmitKycStep", {"id": 2, "answers": {"income": 7}}),
    Line(200, "manager", "MngApproveKycStep", {"id": 2, "expire_time": FUTURE}),
    Line(200, "manager", "MngApproveKycStep", {"id": 1, "reason": "ok", "comment": "seen"}, "approve-1"),
    Line(200, "manager", "MngApproveKycStep", {"id": 1, "reason": "ok", "comment": "seen"}, "approve-1"),
    Line(409, "manager", "MngApproveKycStep", {"id": 1, "version": 1}),
    Line(404, "other", "MngApproveKycStep", {"id": 3}),
    Line(200, "manager", "MngApproveKycStep", {"id": 3}),
    Line(409, "manager", "MngSkipKycStep", {"id": 3}),
    Line(200, "manager", "MngSkipKycStep", {"id": 4, "reason": "known"}),
    Line(404, "manager", "MngSkipKycStep", {"id": 99}),
    Line(200, "manager", "MngGetKycGate", {"customer_id": 7, "brand": "acme"}),
    Line(200, "manager", "MngGetKycGate", {"customer_id": 8, "brand": "acme"}),
    Line(400, "manager", "MngGetKycGate", {"customer_id": 7}),
    Line(200, "manager", "MngGetKycProfile", {"id": 1}),
    Line(200, "manager", "MngDeleteKycStepTemplate", {"id": 1}),
    Line(200, "manager", "MngDeleteKycStepTemplate", {"id": 4, "version": 2}),
    Line(404, "manager", "MngDeleteKycStepTemplate", {"id": 4}),
    Line(400, "manager", "MngDeleteKycStepTemplate", {"id": 0}),
    Line(404, "manager", "MngUpdateKycStepTemplate", {"id": 2, "brand": "zeta"}),
    Line(200, "all", "MngUpdateKycStepTemplate", _ALL_FIELDS),
    Line(200, "manager", "MngAddKycStepTemplate", template("form", step_type=1)),
    Line(200, "customer", "CustomerGetKycStatus", {}),
    Line(200, "neighbour", "CustomerGetKycStatus", {}),
    Line(200, "manager", "MngGetKycAudit", {"brand": "acme", "limit": 5}),
    Line(200, "manager", "MngGetKycAudit", {"customer_id": 7, "limit": 100, "after": "9"}),
    Line(200, "manager", "MngGetKycAudit", {"action": "step.approved", "actor_id": 1}),
    Line(200, "manager", "MngGetKycAudit", {"document_id": 1, "step_id": 1, "kyc_id": 1}),
    Line(200, "other", "MngGetKycAudit", {}),
    Line(400, "manager", "MngGetKycAudit", {"after": "x"}),
)

_NO_FILE = "00000000-0000-4000-8000-000000000000"
_RELEASE = {"file_id": "$q", "decision": "release"}
_REFUSE = {"file_id": "$q", "decision": "refuse"}

HELD_BACK = (
    Line(200, "customer", "CustomerAddKycDocument", {"kyc_id": 1, "file_id": "$q", "type": "form"}),
    Line(200, "manager", "MngGetKycFile", {"file_id": "$q"}),
    Line(200, "manager", "MngGetKycFile", {"file_id": "$a"}),
    Line(404, "other", "MngGetKycFile", {"file_id": "$q"}),
    Line(404, "manager", "MngGetKycFile", {"file_id": _NO_FILE}),
    Line(400, "manager", "MngGetKycFile", {"file_id": "x"}),
    Line(403, "customer", "MngGetKycFile", {"file_id": "$q"}),
    Line(409, "manager", "MngApproveKycDocument", {"id": 4}),
    Line(403, "manager", "MngDecideKycFile", _RELEASE),
    Line(404, "other", "MngDecideKycFile", _RELEASE),
    Line(404, "all", "MngDecideKycFile", {**_RELEASE, "file_id": _NO_FILE}),
    Line(400, "all", "MngDecideKycFile", _REFUSE),
    Line(400, "all", "MngDecideKycFile", {**_RELEASE, "decision": "keep"}),
    Line(200, "all", "MngDecideKycFile", _RELEASE, "file-1"),
    Line(200, "all", "MngDecideKycFile", _RELEASE, "file-1"),
    Line(409, "all", "MngDecideKycFile", {**_REFUSE, "reason": "other"}, "file-1"),
    Line(409, "all", "MngDecideKycFile", _RELEASE),
    Line(200, "manager", "MngApproveKycDocument", {"id": 4}),
    Line(200, "all", "MngDecideKycFile", {**_REFUSE, "reason": "forged"}),
    Line(409, "all", "MngDecideKycFile", {**_RELEASE, "file_id": "$a"}),
    Line(200, "manager", "MngGetKycFile", {"file_id": "$q"}),
    Line(200, "manager", "MngGetKycAudit", {"action": "file.refused"}),
)

DAEMON = (
    Line(200, "manager", "Ping", {}),
    Line(200, "fix", "Ping", {}),
    Line(401, "bad", "Ping", {}),
    Line(200, "manager", "ServerInfo", {}),
    Line(403, "customer", "ServerInfo", {}),
    Line(200, "manager", "Describe", {}),
    Line(200, "manager", "Subscribe", {"chanels": ["kyc", "EURUSD"], "after_seq": 10_000}),
    Line(200, "manager", "Unsubscribe", {"channels": ["kyc"]}),
    Line(400, "manager", "Subscribe", {"chanels": "kyc"}),
    Line(403, "customer", "Subscribe", {"channels": ["kyc:acme:8"]}),
    Line(403, "system", "Unsubscribe", {"channels": ["kyc"]}),
)

_FILTER = {"name": "Zoë's, ]", "filter": {"brand": "acme", "level": 3, "order": "age", "assignee": 0}}
_NOTE = {"kyc_id": 1, "text": "Zoë \u2028 'called', ]"}

CASES = (
    Line(200, "manager", "MngGetKycQueue", {}),
    Line(200, "manager", "MngSetKycRisk", {"customer_id": 7, "brand": "acme", "risk_level": 4}),
    Line(200, "manager", "MngSetKycRisk", {"customer_id": 8, "brand": "acme", "risk_level": 4}),
    Line(200, "manager", "MngGetKycQueue", {"limit": 1}),
    Line(200, "manager", "MngGetKycQueue", {"limit": 1, "after": "4.1.1"}),
    Line(200, "all", "MngGetKycQueue", {"brand": "acme", "risk_level": 4, "order": "age", "assignee": 0, "limit": 5}),
    Line(200, "manager", "MngGetKycQueue", {"step_code": "form", "step_status": 2, "waiting_from": 5}),
    Line(200, "other", "MngGetKycQueue", {"brand": "acme"}),
    Line(400, "manager", "MngGetKycQueue", {"after": "x"}),
    Line(400, "manager", "MngGetKycQueue", {"risk_level": 5}),
    Line(403, "customer", "MngGetKycQueue", {}),
    Line(200, "manager", "MngNextKycCase", {"brand": "acme"}, "next-1"),
    Line(200, "manager", "MngNextKycCase", {"brand": "acme"}, "next-1"),
    Line(200, "other", "MngNextKycCase", {}, "next-none"),
    Line(200, "other", "MngNextKycCase", {}, "next-none"),
    Line(404, "other", "MngNextKycCase", {"brand": "acme"}),
    Line(200, "manager", "MngGetKycCase", {"kyc_id": 1}),
    Line(404, "other", "MngGetKycCase", {"kyc_id": 1}),
    Line(200, "manager", "MngClaimKycCase", {"kyc_id": 2}, "claim-1"),
    Line(200, "manager", "MngClaimKycCase", {"kyc_id": 2}, "claim-1"),
    Line(409, "all", "MngClaimKycCase", {"kyc_id": 2}),
    Line(403, "manager", "MngClaimKycCase", {"kyc_id": 2, "take_over": True}),
    Line(200, "all", "MngClaimKycCase", {"kyc_id": 2, "take_over": True}),
    Line(404, "other", "MngClaimKycCase", {"kyc_id": 2}),
    Line(409, "manager", "MngRenewKycCase", {"kyc_id": 2}),
    Line(200, "all", "MngRenewKycCase", {"kyc_id": 2, "version": 4}),
    Line(404, "all", "MngRenewKycCase", {"kyc_id": 99}),
    Line(409, "manager", "MngReleaseKycCase", {"kyc_id": 2}),
    Line(200, "all", "MngReleaseKycCase", {"kyc_id": 2}),
    Line(200, "all", "MngReleaseKycCase", {"kyc_id": 2}),
    Line(200, "manager", "MngNextKycCase", {"leaving": 1, "order": "age"}),
    Line(200, "manager", "MngSetKycRisk", {"customer_id": 8, "brand": "acme", "risk_level": 1}),
    Line(409, "manager", "MngClaimKycCase", {"kyc_id": 2}),
    Line(200, "manager", "MngAddKycNote", _NOTE, "note-1"),
    Line(200, "manager", "MngAddKycNote", _NOTE, "note-1"),
    Line(400, "manager", "MngAddKycNote", {"kyc_id": 1, "text": ""}),
    Line(404, "other", "MngAddKycNote", {"kyc_id": 1, "text": "x"}),
    Line(200, "manager", "MngGetKycNotes", {"kyc_id": 1}),
    Line(404, "other", "MngGetKycNotes", {"kyc_id": 1}),
    Line(200, "manager", "MngGetKycReasons", {"brand": "acme"}),
    Line(200, "other", "MngGetKycReasons", {"brand": "acme"}),
    Line(200, "manager", "MngSaveKycFilter", _FILTER),
    Line(400, "manager", "MngSaveKycFilter", {"name": "x", "filter": {"limit": 5}}),
    Line(400, "manager", "MngSaveKycFilter", {"name": "x", "filter": {"level": "1"}}),
    Line(200, "manager", "MngGetKycFilters", {}),
    Line(200, "other", "MngGetKycFilters", {}),
    Line(404, "other", "MngDeleteKycFilter", {"name": _FILTER["name"]}),
    Line(200, "manager", "MngDeleteKycFilter", {"name": _FILTER["name"]}),
    Line(200, "manager", "MngSearchKyc", {"customer_id": 7}),
    Line(200, "all", "MngSearchKyc", {"document_type": "passport", "file_name": "pass.jpg", "brand": "acme"}),
    Line(200, "other", "MngSearchKyc", {"customer_id": 7}),
    Line(400, "manager", "MngSearchKyc", {"brand": "acme"}),
    Line(400, "manager", "MngSearchKyc", {"field": "full_name", "value": "Ann"}),
    Line(200, "manager", "MngGetKycSearchFields", {}),
    Line(200, "manager", "MngNoteKycAccess", {"action": "view", "kyc_id": 1, "document_id": 1, "details": {"page": 2}}),
    Line(200, "other", "MngNoteKycAccess", {"action": "export"}),
    Line(404, "other", "MngNoteKycAccess", {"action": "download", "document_id": 1}),
    Line(400, "manager", "MngNoteKycAccess", {"action": "delete"}),
    Line(200, "manager", "MngGetKycDuplicates", {"kyc_id": 1}),
    Line(404, "other", "MngGetKycDuplicates", {"kyc_id": 1}),
    Line(200, "manager", "MngGetKycTemplateImpact", {"brand": "acme", "level": 1}),
    Line(200, "manager", "MngGetKycTemplateImpact", {"brand": "acme", "level": 2, "id": 1, "status": 1}),
    Line(404, "manager", "MngGetKycTemplateImpact", {"brand": "zeta", "level": 1}),
    Line(200, "manager", "MngGetKycStatistics", {"time_from": 1, "time_to": 1}),
    Line(200, "other", "MngGetKycStatistics", {"brand": "acme", "time_to": 1}),
    Line(400, "manager", "MngGetKycStatistics", {"time_from": 2, "time_to": 1}),
    Line(200, "customer", "CustomerGetKycStatus", {"lang": "de-AT"}),
    Line(400, "customer", "CustomerGetKycStatus", {"lang": "?"}),
    Line(200, "manager", "MngGetKycAudit", {"kyc_id": 2, "limit": 50}),
)

DELIVERIES = (
    Line(200, "manager", "MngGetKycDeliveries", {"state": "dead", "brand": "acme"}),
    Line(400, "manager", "MngGetKycDeliveries", {"state": "lost"}),
    Line(400, "manager", "MngGetKycDeliveries", {"after": "x"}),
    Line(403, "manager", "MngReplayKycDelivery", {"id": 1}),
    Line(404, "all", "MngReplayKycDelivery", {"id": 1}),
    Line(200, "all", "MngReplayKycDelivery", {"channel": "webhooks.crm"}),
    Line(400, "all", "MngReplayKycDelivery", {}),
)

PORTAL = (
    Line(200, "manager", "MngMakeKycPortalLink", {"customer_id": 7, "brand": "acme"}, "link-1"),
    Line(409, "manager", "MngMakeKycPortalLink", {"customer_id": 7, "brand": "acme"}, "link-1"),
    Line(200, "all", "MngMakeKycPortalLink", {"id": 1, "ttl": 60}),
    Line(404, "other", "MngMakeKycPortalLink", {"id": 1}),
    Line(400, "manager", "MngMakeKycPortalLink", {"id": 1, "ttl": 2_592_001}),
    Line(400, "manager", "MngMakeKycPortalLink", {}),
    Line(403, "customer", "MngMakeKycPortalLink", {"id": 1}),
    Line(200, "customer", "CustomerAddKycDocument", {"kyc_id": 1, "file_id": "$b", "type": "by mistake"}),
    Line(403, "neighbour", "CustomerRemoveKycDocument", {"id": 5}),
    Line(200, "customer", "CustomerRemoveKycDocument", {"id": 5}, "remove-1"),
    Line(200, "customer", "CustomerRemoveKycDocument", {"id": 5}, "remove-1"),
    Line(404, "customer", "CustomerRemoveKycDocument", {"id": 5}),
    Line(409, "customer", "CustomerRemoveKycDocument", {"id": 1}),
    Line(404, "customer", "CustomerRemoveKycDocument", {"id": 99}),
    Line(400, "customer", "CustomerRemoveKycDocument", {"id": 0}),
)

WALLET = {"brand": "acme", "account": "GBHS6NPDH5MZ4L4737PFBP6JQ5GHEVILLGPVXEUH5AMMNIB5IWBW6FV4"}
"""Whom the daemon of a history knows a wallet by; the first one has this id."""
_IDENTITY = 2**40

IDENTITIES = (
    Line(200, "manager", "MngGetKycIdentities", {"brand": "acme"}),
    Line(200, "other", "MngGetKycIdentities", {}),
    Line(200, "all", "MngGetKycIdentities", {"customer_id": _IDENTITY}),
    Line(403, "customer", "MngGetKycIdentities", {}),
    Line(404, "other", "MngLinkKycIdentity", {"id": _IDENTITY, "customer_id": 7}),
    Line(404, "manager", "MngLinkKycIdentity", {"id": 5, "customer_id": 7}),
    Line(400, "manager", "MngLinkKycIdentity", {"id": _IDENTITY, "customer_id": _IDENTITY}),
    Line(400, "manager", "MngLinkKycIdentity", {"id": _IDENTITY}),
    Line(200, "manager", "MngLinkKycIdentity", {"id": _IDENTITY, "customer_id": 7}),
    Line(409, "manager", "MngLinkKycIdentity", {"id": _IDENTITY, "customer_id": 8}),
    Line(200, "manager", "MngGetKycIdentities", {"customer_id": 7}),
)

HISTORY = (*TEMPLATES, *ASKED, *HANDED_IN, *DECIDED, *HELD_BACK, *CASES, *DELIVERIES, *PORTAL, *IDENTITIES, *DAEMON)
