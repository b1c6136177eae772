"""Requests made from the OpenAPI document: `api.py --cases 10000 --seed 1` sends good and bad ones to every operation.

None is answered 5xx or with a status its operation does not name, and the log tells of no fault. The last line has the
figures; the exit code is 0 only when every zero is none.
"""

import argparse
import contextlib
import itertools
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE / "support"), str(HERE.parent / "e2e" / "support")]

from report import Report, command  # noqa: E402 - found by the line above
from talk import Talk  # noqa: E402
from target import BRAND, PRODUCT, WRONG, Target  # noqa: E402

PATIENCE = 20.0
KNOWN_IDS = (1, 2, 3, 4, 5)
SETTINGS = {
    "database": None,
    "deadline": None,
    "suppress_health_check": list(hypothesis.HealthCheck),
    "phases": [hypothesis.Phase.generate],
}
GENERAL = frozenset({400, 401, 405, 429})
"""What any operation may answer to a request that is none of its own: malformed, without a token, too often."""

ZEROS = ("failures", "undocumented", "unanswered", "faults_logged", "files_left")


class Api:
    """One run against one daemon."""

    def __init__(self, target: Target, cases: int, seed: int) -> None:
        self.target = target
        self.report = Report(*ZEROS)
        self.cases = cases
        self.seed = seed
        self.chance = random.Random(seed)
        self.statuses = Counter[int]()
        self.session = requests.Session()
        self.tokens = itertools.cycle([target.token(brands=None), target.token(), target.customer(1), ""])

    def run(self) -> int:
        """Ask every operation; return the exit code."""
        self._fill()
        url = "http://{}:{}".format(*self.target.http)
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        operations = [each.ok() for each in schema.get_all_operations()]
        started = time.monotonic()
        seed = self.seed
        while (left := self.cases - sum(self.statuses.values())) > 0:
            # some operations have little that can be made of them: the others are asked once more, otherwise
            each = -(-left // (2 * len(operations)))
            for operation in operations:
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    self._ask(operation, mode, each, seed)
            seed += 1
        for line in self.target.faults():
            self.report.add("faults_logged", str(line))
        for name in self.target.left_over():
            self.report.add("files_left", name)
        self.report.say(f"statuses: {dict(sorted(self.statuses.items()))}")
        return self.report.tell(
            seed=self.seed,
            cases=sum(self.statuses.values()),
            operations=len(operations),
            seconds=round(time.monotonic() - started),
        )

    def _fill(self) -> None:
        """Make records, so that some ids exist."""
        token = self.target.token(brands=None)
        with Talk(self.target.tcp) as talk:
            for number, kind in enumerate((0, 1, 4), 1):
                form = {"sections": [{"fields": [{"name": "said", "type": "text"}]}]} if kind == 1 else {}
                template = {"brand": BRAND, "code": f"s{number}", "level": 1, "name": "N", "step_type": kind}
                talk.good("MngAddKycStepTemplate", template | {"form_schema": form}, token)
            for customer in (1, 2):
                talk.good("MngSetKycRequiredLevel", {"customer_id": customer, "brand": BRAND, "level": 1}, token)

    def _ask(self, operation: Any, mode: GenerationMode, count: int, seed: int) -> None:
        """Make so many cases of an operation and send each."""
        try:
            made = operation.as_strategy(generation_mode=mode)
        except schemathesis.errors.SchemathesisError:  # nothing can be wrong about a request that has no parts
            made = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)

        @hypothesis.seed(seed)
        @hypothesis.settings(max_examples=count, **SETTINGS)
        @hypothesis.given(case=made, known=st.booleans())
        def send(case: Any, known: bool) -> None:
            self._send(operation, case, known=known)

        with contextlib.suppress(hypothesis.errors.Unsatisfiable):
            send()

    def _send(self, operation: Any, case: Any, *, known: bool) -> None:
        if known and case.path_parameters and "id" in case.path_parameters:
            case.path_parameters["id"] = self.chance.choice(KNOWN_IDS)
        token = next(self.tokens)
        headers = {"Authorization": token} if token else {}
        try:
            answer = case.call(session=self.session, headers=headers, timeout=PATIENCE)
        except (requests.Timeout, requests.ConnectionError) as error:
            self.report.add("unanswered", f"{operation.label}: {error!r}")
            return
        status = answer.status_code
        self.statuses[status] += 1
        told = f"{operation.label}: {status} {answer.content[:300]!r} to {case.as_curl_command()[:400]}"
        self.report.demand(status < 500, "failures", told)
        documented = {int(code) for code in operation.responses.status_codes if code.isdecimal()}
        self.report.demand(status in documented | GENERAL, "undocumented", told)
        self.report.progress(f"{sum(self.statuses.values())} of {self.cases}: {operation.label}")


def main(folder: Path, args: argparse.Namespace) -> int:
    with Target(folder, program=WRONG if args.wrong else PRODUCT) as target:
        return Api(target, args.cases, args.seed).run()


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true", help="against a build with a fault, which must be found")


if __name__ == "__main__":
    sys.exit(command(__doc__.splitlines()[0], options, main))
