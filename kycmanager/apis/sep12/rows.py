"""The one way from the door to the data: rows no token reaches, run for a wallet that has shown who it is."""

import asyncio
from typing import Any

from kycmanager.commands.execute import Codec, Executor
from kycmanager.domain.enums import SessionType
from kycmanager.domain.session import Session
from kycmanager.pages.gateway import Gateway
from kycmanager.transports.rest.commands import Observe

SOURCE = "sep12"
"""What the audit tells of this way in."""


class Rows:
    """Runs commands as the customer a wallet speaks for; the executor decides all there is to decide."""

    def __init__(self, executor: Executor, observe: Observe, brand: str) -> None:
        self._gateway = Gateway(executor, observe, source=SOURCE)
        self._brands = frozenset({brand})
        self._nobody = self._session(0)

    def _session(self, customer_id: int) -> Session:
        return Session(sub=customer_id, type=SessionType.CUSTOMER, brands=self._brands, local=True)

    def read(self, command: str, data: dict[str, Any], codec: Codec) -> bytes:
        """Return the reply of a row that reads, as the codec writes it; raises KycError."""
        return self._gateway.read(self._nobody, command, data, codec)

    async def run(self, command: str, data: dict[str, Any], customer_id: int = 0) -> dict[str, Any]:
        """Return the data of the reply; raises KycError. Who stops waiting stops nothing."""
        return await asyncio.shield(self._gateway.run_local(self._session(customer_id), command, data))
