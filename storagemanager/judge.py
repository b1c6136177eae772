"""The second look at an upload: what the decoders say of it, and what the brand's policy makes of what they find."""

from collections.abc import Callable

from storagemanager.content.model import DECODED, INSPECT, TEXTS, Finding, Inspect
from storagemanager.errors import StorageError, StorageErrorCode
from storagemanager.model import InspectionSettings
from storagemanager.sandbox import Failure, FailureKind, Limits, Sandbox
from storagemanager.verdicts import FileState, Policy, Verdict

PolicyOf = Callable[[str], Policy]
"""Tells the policy of a brand."""


def refuse_all(_brand: str) -> Policy:
    """Refuse active content whatever the brand."""
    return Policy.REFUSE


class Judge:
    """Asks the sandbox about files; its processes start with the first file that has a decoder."""

    def __init__(self, settings: InspectionSettings, policy_of: PolicyOf) -> None:
        self.sandbox = Sandbox(
            Limits(seconds=settings.seconds, memory_bytes=settings.memory_bytes, processes_max=settings.processes_max)
        )
        self._settings = settings
        self._policy_of = policy_of

    async def inspect(self, descriptor: int, extension: str) -> tuple[Finding, ...]:
        """Return what is active in a whole file; STRUCTURE where it cannot be decoded within the bounds.

        UNAVAILABLE where no process could be started: that says nothing of the file.
        """
        if extension not in DECODED:
            return ()
        request = Inspect(extension, self._settings.pixels_max)
        answer = await self.sandbox.run(INSPECT, descriptor, request)
        if isinstance(answer, Failure):
            raise self._failed(answer)
        if answer.refusal:
            raise StorageError(StorageErrorCode.STRUCTURE, "file", answer.refusal)
        return answer.findings

    def decide(self, findings: tuple[Finding, ...], brand: str) -> Verdict | None:
        """Return what becomes of a file with these findings, None where there are none; ACTIVE_CONTENT refuses it."""
        if not findings:
            return None
        policy = self._policy_of(brand)
        if policy is Policy.REFUSE:
            named = ", ".join(TEXTS[finding] for finding in findings)
            raise StorageError(
                StorageErrorCode.ACTIVE_CONTENT,
                "file",
                f"the document contains {named}; send it without, for example printed to a new PDF",
            )
        state = FileState.QUARANTINED if policy is Policy.QUARANTINE else FileState.ACCEPTED
        return Verdict(state=state, findings=tuple(finding.value for finding in findings))

    async def close(self) -> None:
        """End the processes."""
        await self.sandbox.close()

    def _failed(self, failure: Failure) -> StorageError:
        if failure.kind is FailureKind.UNAVAILABLE:
            return StorageError(StorageErrorCode.UNAVAILABLE, "file", f"the decoders do not run: {failure.detail}")
        reason = failure.reason("decoding", self.sandbox.limits)
        return StorageError(StorageErrorCode.STRUCTURE, "file", f"{reason}; save it anew and send it again")
