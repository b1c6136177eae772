"""What the harness believes: a customer's state as plain data, what each write does to it, and which write comes next.

Written apart from the domain on purpose: what is compared with the daemon must not be made by the daemon's own rules.
"""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

BRAND = "kill"
LEVELS = {"paper": 1, "form": 2, "manual": 3}
TEMPLATES = (
    {"brand": BRAND, "code": "paper", "level": 1, "step_type": 0},
    {
        "brand": BRAND,
        "code": "form",
        "level": 2,
        "step_type": 1,
        "form_schema": {"sections": [{"fields": [{"name": "word", "type": "text", "required": True}]}]},
    },
    {"brand": BRAND, "code": "manual", "level": 3, "step_type": 4},
    {"brand": BRAND, "code": "extra", "level": 1, "step_type": 1, "required": 0},
)
REQUIRED, PENDING, APPROVED, REJECTED, SKIPPED = 0, 1, 2, 3, 5
OPS_MAX = 24
"""Writes of one customer; then it is left as it is."""

State = dict[str, Any]


class Op(NamedTuple):
    """One write: the command, its data, who sends it, and what it does to the state."""

    command: str
    data: dict[str, Any]
    who: str
    key: str
    effect: Callable[[State], None]


def after(state: State, op: Op) -> State:
    """Return the state once a write has been made."""
    changed = copy.deepcopy(state)
    op.effect(changed)
    return changed


class Customer:
    """What is known of one customer: the state every acknowledged write has led to, and the write under way."""

    def __init__(self, number: int, seed: str) -> None:
        self.number = number
        self.rng = random.Random(seed)
        self.state: State = {"risk": 0, "level": 0, "steps": {}, "documents": {}}
        self.exists = False
        self.under_way: Op | None = None
        self.acknowledged = 0
        self.steps: dict[str, int] = {}
        self.documents: dict[str, int] = {}
        self.keyed: list[tuple[Op, Any]] = []
        """Acknowledged writes under a key, with what was answered."""

    @property
    def done(self) -> bool:
        return self.acknowledged >= OPS_MAX or self.state["steps"].get("extra", [0])[0] == SKIPPED

    def possible(self) -> tuple[State, ...]:
        """Return the states the daemon may hold: all that was acknowledged, and perhaps what was under way."""
        if self.under_way is None:
            return (self.state,)
        return self.state, after(self.state, self.under_way)

    def next_op(self, files: list[str]) -> Op:
        """Choose a write that must succeed; `files` are uploaded and not attached yet."""
        key = f"k{self.number}-{self.acknowledged}-{self.rng.randrange(10**6)}" if self.rng.random() < 0.3 else ""
        found = [op._replace(key=key) for op in self._ops(files)]
        return self.rng.choice(found)

    def _ops(self, files: list[str]) -> Iterator[Op]:
        here = {"customer_id": self.number, "brand": BRAND}
        steps = self.state["steps"]
        level = self.rng.randint(max(1, self.state["level"]), 3)
        yield Op("MngSetKycRequiredLevel", {**here, "level": level}, "manager", "", _level(level))
        if level > self.state["level"]:
            yield Op("kyc.set_required_level", {**here, "level": level}, "system", "", _level(level))
        risk = self.rng.randint(1, 3)
        yield Op("MngSetKycRisk", {**here, "risk_level": risk}, "manager", "", _put("risk", risk))
        code = self.rng.choice(("extra", "form"))
        yield Op("MngRequireKycStep", {**here, "step_code": code}, "manager", "", _require(code))
        for name in steps:
            if name in self.steps:
                yield from self._step_ops(name, files)
        for file_id, (status, _, _) in self.state["documents"].items():
            if status in {0, 1} and file_id in self.documents:
                named = {"id": self.documents[file_id]}
                yield Op("MngApproveKycDocument", named, "manager", "", _decide_document(file_id, 2))
                yield Op(
                    "MngRejectKycDocument", {**named, "reason": "bad"}, "manager", "", _decide_document(file_id, 3)
                )

    def _step_ops(self, code: str, files: list[str]) -> Iterator[Op]:
        named, status = {"id": self.steps[code]}, self.state["steps"][code][0]
        word = f"w{self.rng.randrange(10**6)}"
        open_now = status in {REQUIRED, REJECTED}
        if code == "paper" and files and status != APPROVED:
            data = {"kyc_id": self.steps["profile"], "file_id": files[0], "step_id": named["id"]}
            yield Op("CustomerAddKycDocument", data, "customer", "", _attach(files[0], code))
        if code == "form" and open_now:
            answers = {"word": word}
            yield Op("CustomerSaveKycAnswers", {**named, "answers": answers}, "customer", "", _save(code, answers))
            yield Op("CustomerSubmitKycStep", {**named, "answers": answers}, "customer", "", _submit(code, answers))
        usable = any(doc[2] == code and doc[0] in {0, 1, 2} for doc in self.state["documents"].values())
        if open_now and (code in {"extra", "manual"} or (code == "paper" and usable)):
            yield Op("CustomerSubmitKycStep", {**named, "answers": {}}, "customer", "", _submit(code, {}))
        if status == PENDING or (code == "manual" and status == REQUIRED):
            yield Op("MngApproveKycStep", {**named, "reason": word}, "manager", "", _decide(code, APPROVED, word))
        if status == PENDING:
            yield Op("MngRejectKycStep", {**named, "reason": word}, "manager", "", _decide(code, REJECTED, word))
        if code == "extra" and status == REQUIRED and self.acknowledged > OPS_MAX // 2:
            yield Op("MngSkipKycStep", {**named, "reason": word}, "manager", "", _decide(code, SKIPPED, word))

    def learn(self, body: dict[str, Any]) -> State:
        """Take the ids from what the daemon shows of the customer; return its state in our terms."""
        self.exists = True
        self.steps = {step["code"]: step["id"] for step in body["steps"]} | {"profile": body["profile"]["id"]}
        self.documents = {document["file_id"]: document["id"] for document in body["documents"]}
        return state_of(body)


def state_of(body: dict[str, Any]) -> State:
    """Return what a profile as managers see it says, in our terms."""
    codes = {step["id"]: step["code"] for step in body["steps"]}
    steps = {s["code"]: [s["status"], s["version"], s["answers"], s["reason"]] for s in body["steps"]}
    if len(steps) != len(body["steps"]):
        steps["twice"] = sorted(step["code"] for step in body["steps"])
    return {
        "risk": body["profile"]["risk_level"],
        "level": body["profile"]["required_level"],
        "steps": steps,
        "documents": {d["file_id"]: [d["status"], d["version"], codes.get(d["step_id"])] for d in body["documents"]},
    }


def _put(name: str, value: Any) -> Callable[[State], None]:
    def effect(state: State) -> None:
        state[name] = value

    return effect


def _level(level: int) -> Callable[[State], None]:
    def effect(state: State) -> None:
        state["level"] = max(state["level"], level)
        for code, wanted in LEVELS.items():
            if wanted <= level and code not in state["steps"]:
                state["steps"][code] = [REQUIRED, 1, {}, ""]

    return effect


def _require(code: str) -> Callable[[State], None]:
    def effect(state: State) -> None:
        if code in state["steps"]:
            state["steps"][code][1] += 1
        else:
            state["steps"][code] = [REQUIRED, 1, {}, ""]

    return effect


def _attach(file_id: str, code: str) -> Callable[[State], None]:
    def effect(state: State) -> None:
        state["documents"][file_id] = [0, 1, code]

    return effect


def _save(code: str, answers: dict[str, Any]) -> Callable[[State], None]:
    def effect(state: State) -> None:
        step = state["steps"][code]
        step[1] += 1
        step[2] = {**step[2], **answers}

    return effect


def _submit(code: str, answers: dict[str, Any]) -> Callable[[State], None]:
    def effect(state: State) -> None:
        _save(code, answers)(state)
        state["steps"][code][0] = PENDING
        for document in state["documents"].values():
            if document[2] == code and document[0] == 0:
                document[0], document[1] = 1, document[1] + 1

    return effect


def _decide(code: str, status: int, reason: str) -> Callable[[State], None]:
    def effect(state: State) -> None:
        step = state["steps"][code]
        step[0], step[1], step[3] = status, step[1] + 1, reason

    return effect


def _decide_document(file_id: str, status: int) -> Callable[[State], None]:
    def effect(state: State) -> None:
        document = state["documents"][file_id]
        document[0], document[1] = status, document[1] + 1

    return effect
