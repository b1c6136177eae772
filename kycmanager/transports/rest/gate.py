"""Who calls: the token of a request, judged by the executor; wrong ones are counted."""

from aiohttp import web

from kycmanager.commands.execute import Executor
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.session import Session
from kycmanager.transports.bearer import WrongToken, token_of


class Gate:
    """Finds the session of a request."""

    def __init__(self, executor: Executor, wrong_token: WrongToken) -> None:
        self._executor = executor
        self._wrong_token = wrong_token

    def session(self, request: web.BaseRequest) -> Session:
        """Return the caller; raises UNAUTHENTICATED, INVALID_CUSTOMER or TOO_FREQUENT."""
        token = token_of(request.headers.get("Authorization", ""))
        try:
            return self._executor.authenticate(token)
        except KycError as error:
            if token and error.code is Code.UNAUTHENTICATED:
                raise self._wrong_token(request.remote or "", token) from None
            raise
