"""The door put together: which request goes where, who may ask, and one answer to every fault."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from kycmanager.apis.sep12.challenge import Challenges
from kycmanager.apis.sep12.client_domain import ANSWER_BYTES_MAX, ClientDomains
from kycmanager.apis.sep12.customer import Customers
from kycmanager.apis.sep12.files import Files
from kycmanager.apis.sep12.horizon import Horizon
from kycmanager.apis.sep12.keys import load_seed, load_token_key
from kycmanager.apis.sep12.login import Login
from kycmanager.apis.sep12.rows import Rows
from kycmanager.apis.sep12.settings import AUTH, PREFIX, TOML, DoorSettings
from kycmanager.apis.sep12.tokens import Tokens, Wallet, refused
from kycmanager.apis.sep12.toml import stellar_toml
from kycmanager.apis.sep12.view import status_body
from kycmanager.commands.execute import Executor, Faults
from kycmanager.domain.errors import Code, KycError, not_found
from kycmanager.file_ports import FileStore
from kycmanager.outbound.callbacks import CallbackChannel
from kycmanager.outbound.calls import Caller
from kycmanager.ports import Clock, Records
from kycmanager.transports.bearer import WrongToken, token_of
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.body import TooSlowError
from kycmanager.transports.rest.commands import Observe
from kycmanager.transports.rest.routes import Mount

CORS = (
    b"Access-Control-Allow-Origin: *\r\n"
    b"Access-Control-Allow-Methods: GET, PUT, POST, DELETE, OPTIONS\r\n"
    b"Access-Control-Allow-Headers: Authorization, Content-Type\r\n"
    b"Access-Control-Max-Age: 86400\r\n"
)
_TEXT = b"text/plain; charset=utf-8"
_STATUSES = {Code.INVALID_STATE: 400, Code.DUPLICATE_RECORD: 400, Code.INVALID_METHOD: 405}
"""Where SEP-12 answers another status than the manager API."""

_CUSTOMER = f"{PREFIX}/customer"

Public = Callable[[web.BaseRequest], Awaitable[Answer]]
Own = Callable[[web.BaseRequest, Wallet, str], Awaitable[Answer]]


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the door needs of the rest."""

    executor: Executor
    storage: FileStore
    clock: Clock
    observe: Observe
    faults: Faults
    wrong_token: WrongToken
    data_dir: Path
    key_file: str
    token_key_file: str
    waiting_seconds: int
    allow_private: bool


class Sep12Door:
    """Serves SEP-1, SEP-10 and SEP-12 as a mount of the HTTP door."""

    def __init__(self, settings: DoorSettings, given: Surroundings) -> None:
        self.keypair = load_seed(given.data_dir / given.key_file)
        token_key = load_token_key(given.data_dir / given.token_key_file)
        self.tokens = Tokens(token_key, settings.auth_endpoint, settings.token_seconds, given.clock)
        self._faults = given.faults
        self._allow_private = given.allow_private
        self._wrong_token = given.wrong_token
        rows = Rows(given.executor, given.observe, settings.brand)
        self._horizon = Horizon(settings.horizon, settings.horizon_seconds)
        caller = Caller(seconds=settings.horizon_seconds, answer_bytes_max=ANSWER_BYTES_MAX, connections_max=20)
        self._domains = ClientDomains(caller)
        challenges = Challenges(
            self.keypair, settings.home_domain, settings.web_auth_domain, settings.network_passphrase
        )
        login = Login(settings, challenges, self.tokens, self._horizon, self._domains, rows)
        customers = Customers(rows, given.storage, settings, allow_private=given.allow_private)
        files = Files(customers, rows, given.storage, settings, given.clock, given.waiting_seconds)
        self._toml = stellar_toml(settings, self.keypair.public_key)
        self._public: dict[str, dict[str, Public]] = {
            TOML: {"GET": self._show_toml},
            AUTH: {"GET": login.challenge, "POST": login.token},
        }
        self._own: dict[str, dict[str, Own]] = {
            _CUSTOMER: {"GET": customers.get, "PUT": customers.put},
            f"{_CUSTOMER}/verification": {"PUT": customers.confirm},
            f"{_CUSTOMER}/callback": {"PUT": customers.callback},
            f"{_CUSTOMER}/files": {"GET": files.get, "POST": files.post},
        }
        self._delete: dict[str, Own] = {"DELETE": customers.delete}

    def mounts(self) -> dict[str, Mount]:
        """Return where it is to be mounted."""
        return {PREFIX: self.serve, TOML: self.serve}

    def channels(self, records: Records) -> list[CallbackChannel]:
        """Return the channel of callbacks, signed by the key that stellar.toml names."""
        key = Ed25519PrivateKey.from_private_bytes(self.keypair.raw_secret_key())
        return [CallbackChannel(records, key, status_body, allow_private=self._allow_private)]

    async def close(self) -> None:
        """Give the connections to others back."""
        await self._horizon.close()
        await self._domains.close()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; only a client that has gone comes out as an exception."""
        try:
            answer = await self._answer(request)
        except KycError as error:
            answer = _refusal(error)
        except (ConnectionError, web.HTTPException):
            raise
        except (TooSlowError, RequestPayloadError):
            answer = _refusal(KycError(Code.INVALID_DATA, "body: malformed, cut off, or came too slowly"))
            answer.force_close()
        except Exception as error:  # noqa: BLE001 - every fault becomes one answer
            correlation = self._faults("sep12", error)
            answer = _refusal(KycError(Code.INTERNAL, f"Something failed here; the log knows ({correlation})"))
        return answer

    async def _answer(self, request: web.BaseRequest) -> Answer:
        path, method = request.rel_url.path, request.method
        public = self._public.get(path)
        own, parameter = self._found(path)
        methods = public if public is not None else own
        if methods is None:
            raise not_found("page")
        if method == "OPTIONS":
            return _with_cors(Answer(204, b""))
        if method == "HEAD":
            method = "GET"
        if method not in methods:
            raise KycError(Code.INVALID_METHOD, f"This path takes {', '.join(sorted(methods))}, OPTIONS")
        if public is not None:
            return _with_cors(await public[method](request))
        assert own is not None
        # Who asks is known before anything of the body is read.
        wallet = self._wallet(request)
        return _with_cors(await own[method](request, wallet, parameter))

    def _found(self, path: str) -> tuple[dict[str, Own] | None, str]:
        found = self._own.get(path)
        if found is not None:
            return found, ""
        head, _, last = path.rpartition("/")
        return (self._delete, last) if head == _CUSTOMER and last else (None, "")

    def _wallet(self, request: web.BaseRequest) -> Wallet:
        token = token_of(request.headers.get("Authorization", ""))
        if not token:
            raise refused()
        try:
            return self.tokens.verify(token)
        except KycError:
            error = self._wrong_token(request.remote or "", token)
            raise refused() if error.code is Code.UNAUTHENTICATED else error from None

    async def _show_toml(self, _request: web.BaseRequest) -> Answer:
        return Answer(200, self._toml, kind=_TEXT)


def _refusal(error: KycError) -> Answer:
    status = _STATUSES.get(error.code, error.code.status)
    return _with_cors(Answer(status, msgspec.json.encode({"error": error.message})))


def _with_cors(answer: Answer) -> Answer:
    answer.add(CORS)
    return answer
