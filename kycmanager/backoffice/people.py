"""How pages call the people who work on cases."""

from collections.abc import Mapping
from typing import Any

from kycmanager.domain.enums import SessionType
from kycmanager.domain.session import Session
from kycmanager.domain.users import spelled
from kycmanager.ports import Clock
from kycmanager.user_ports import UserRecords


class People:
    """Knows the users by the sub of their sessions; others are called by their number."""

    def __init__(self, users: UserRecords, clock: Clock) -> None:
        self._users = users
        self._clock = clock

    def now(self) -> int:
        """Return Unix seconds."""
        return self._clock()

    def name(self, session: int, sub: int) -> str:
        """Return the name of a user, or the type and number of a session that is none."""
        user = self._users.user(sub)
        if user is not None and user.role == session:
            return user.name
        return f"{SessionType(session).name.lower().replace('_', ' ')} {sub}"

    def number(self, name: str) -> int:
        """Return the sub of the sessions of a user, 0 where nobody has the name."""
        user = self._users.user_named(spelled(name))
        return user.id if user else 0

    def holder(self, who: Session, case: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return who holds a case, whether that is the caller, and for how many seconds more; None for nobody."""
        if not case["assignee"]:
            return None
        session = case["assignee_session"]
        return {
            "name": self.name(session, case["assignee"]),
            "me": (session, case["assignee"]) == (who.type, who.sub),
            "left": max(0, case["lease_until"] - self._clock()),
            "until": case["lease_until"],
        }
