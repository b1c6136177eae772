"""Work on untrusted files in processes that may crash, hang or be killed without harm to the daemon."""

from storagemanager.sandbox.model import Failure, FailureKind, Limits, Task
from storagemanager.sandbox.pool import Sandbox

__all__ = ["Failure", "FailureKind", "Limits", "Sandbox", "Task"]
