"""The settings of the daemon as frozen sections, with their defaults and bounds."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from kycmanager.config.texts import duration_seconds

KIB = 1024
MIB = 1024 * KIB

Positive = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]
SecondsOrOff = Annotated[int, Meta(ge=0, le=86_400)]
MessageBytes = Annotated[int, Meta(ge=KIB, le=16 * MIB - 1)]


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[server]: where the daemon listens and where it keeps its data; relative paths lie in the data folder."""

    tcp: str = "127.0.0.1:7400"
    http: str = "127.0.0.1:7480"
    data: str = "."
    tls_cert: str = ""
    tls_key: str = ""


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[limits]: a bound for every frame, queue and wait."""

    line_bytes_max: MessageBytes = MIB
    frame_bytes_max: MessageBytes = MIB
    in_flight_max: Annotated[int, Meta(ge=1, le=65_536)] = 256
    write_queue_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 8192
    batch_commands_max: Annotated[int, Meta(ge=1, le=65_536)] = 1024
    out_buffer_bytes_max: Annotated[int, Meta(ge=64 * KIB, le=64 * MIB)] = MIB
    connections_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 15_000
    request_seconds: Seconds = 30
    frame_seconds: Seconds = 30
    slow_seconds: Seconds = 5
    idle_seconds: SecondsOrOff = 0
    discard_seconds: Seconds = 2


class PublicKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[tokens.public_keys]]: a key of another issuer, a CRM for one; its kind fixes the algorithm."""

    file: Annotated[str, Meta(min_length=1)]
    issuer: str = ""
    kid: str = ""
    audience: str = ""


class Tokens(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[tokens]: which keys sign and verify, how long tokens live, how often wrong ones may be tried."""

    algorithm: Literal["hs256", "rs256", "eddsa"] = "hs256"
    secret: str = ""
    key_file: Annotated[str, Meta(min_length=1)] = "keys/token.key"
    ttl: str = "8h"
    future_seconds_max: Annotated[int, Meta(ge=0, le=600)] = 30
    cached_max: Annotated[int, Meta(ge=2, le=1_000_000)] = 20_000
    failed_per_minute_max: Positive = 30
    public_keys: tuple[PublicKey, ...] = ()

    def __repr__(self) -> str:
        return f"Tokens(algorithm={self.algorithm!r}, key_file={self.key_file!r}, ttl={self.ttl!r}, ...)"

    @property
    def ttl_seconds(self) -> int:
        """How long an issued token lives when nothing else is asked for, in seconds."""
        return duration_seconds(self.ttl)


class Storage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[storage]: what may be uploaded and how long it waits for a document."""

    file_bytes_max: Annotated[int, Meta(ge=1, le=16 * KIB * MIB)] = 20 * MIB
    extensions: tuple[str, ...] = (
        *("png", "jpg", "jpeg", "gif", "webp", "heic", "tif", "tiff", "ico"),
        *("pdf", "txt", "csv", "doc", "docx", "xls", "xlsx"),
    )
    unattached_hours: Annotated[int, Meta(ge=1, le=8760)] = 24
    public_scope: bool = False


Quota = Annotated[int, Meta(ge=0, le=2**53)]


class BrandQuotas(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[quotas.brands.NAME]: the quotas of one brand; what is left out is as for all brands."""

    customer_files_max: Quota | None = None
    customer_bytes_max: Quota | None = None
    customer_uploads_per_hour_max: Quota | None = None
    manager_uploads_per_hour_max: Quota | None = None
    brand_files_max: Quota | None = None
    brand_bytes_max: Quota | None = None


class Quotas(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[quotas]: what customers and brands may store; 0 is no limit."""

    customer_files_max: Quota = 1000
    customer_bytes_max: Quota = 2 * KIB * MIB
    customer_uploads_per_hour_max: Quota = 240
    manager_uploads_per_hour_max: Quota = 100_000
    brand_files_max: Quota = 0
    brand_bytes_max: Quota = 0
    brands: dict[str, BrandQuotas] = {}

    def of(self, brand: str) -> "Quotas":
        """Return the quotas in force for a brand."""
        own = self.brands.get(brand)
        if own is None:
            return self
        given = {name: value for name, value in msgspec.structs.asdict(own).items() if value is not None}
        return msgspec.structs.replace(self, **given)


class Renditions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[renditions]: what a browser is shown of stored files."""

    cache_bytes_max: Annotated[int, Meta(ge=0, le=2**53)] = KIB * MIB
    seconds: Annotated[int, Meta(ge=1, le=60)] = 4


class Malware(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[malware]: the scanner every upload is shown to."""

    address: str = ""
    timeout_seconds: Annotated[int, Meta(ge=1, le=600)] = 30


ActiveContent = Literal["refuse", "quarantine", "accept"]


class BrandInspection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[inspection.brands.NAME]: the policy of one brand."""

    active_content: ActiveContent


class Inspection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[inspection]: the bounds of the decoders, and what becomes of documents with something active in them."""

    active_content: ActiveContent = "refuse"
    brands: dict[str, BrandInspection] = {}
    megapixels_max: Annotated[int, Meta(ge=1, le=1000)] = 40
    seconds_max: Annotated[int, Meta(ge=1, le=8)] = 2
    memory_bytes_max: Annotated[int, Meta(ge=64 * MIB, le=16 * KIB * MIB)] = 256 * MIB
    processes_max: Annotated[int, Meta(ge=1, le=64)] = 2

    def of(self, brand: str) -> ActiveContent:
        """Return the policy of a brand."""
        own = self.brands.get(brand)
        return self.active_content if own is None else own.active_content


class Logging(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[logging]: how much is told, and in which form."""

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Expiry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[expiry]: how often due steps and documents are expired."""

    interval_seconds: Seconds = 10


class Audit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[audit]: how often the end of its chain is written down outside the base."""

    head_seconds: Seconds = 60


class Idempotency(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[idempotency]: how long, and how many, accepted writes are remembered by their key."""

    hours: Annotated[int, Meta(ge=1, le=8760)] = 24
    keys_max: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_000_000


class Cache(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[cache]: the memory of prepared replies; the records themselves are always in memory."""

    prepared_bytes_max: Annotated[int, Meta(ge=0, le=1024 * 1024 * MIB)] = 256 * MIB


class Rest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[rest]: the HTTP door."""

    body_bytes_max: Annotated[int, Meta(ge=KIB, le=64 * MIB)] = MIB
    keepalive_seconds: Seconds = 75
    docs: bool = True
    fast_path: bool = True


class Reason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[backoffice.reasons]]: why a step or document is rejected, and what its customer is told, by language."""

    code: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: Literal["retry", "final"]
    label: Annotated[str, Meta(min_length=1, max_length=200)]
    customer_text: dict[str, str] = {}
    brand: str = ""


class Backoffice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[backoffice]: the pages of the reviewers, and how they work."""

    enabled: bool = True
    idle: str = "30m"
    life: str = "12h"
    proxy: bool = False
    lease_seconds: Annotated[int, Meta(ge=30, le=86_400)] = 600
    language: Annotated[str, Meta(min_length=2, max_length=35)] = "en"
    reasons: tuple[Reason, ...] = ()
    search_fields: Annotated[tuple[str, ...], Meta(max_length=32)] = ()

    @property
    def idle_seconds(self) -> int:
        """How long a sign-in lives unused, in seconds."""
        return duration_seconds(self.idle)

    @property
    def life_seconds(self) -> int:
        """How long a sign-in lives at most, in seconds."""
        return duration_seconds(self.life)


class Portal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[portal]: the pages of the customers."""

    enabled: bool = True
    address: str = ""
    idle: str = "30m"
    life: str = "8h"
    link_ttl: str = "72h"

    @property
    def idle_seconds(self) -> int:
        """How long a visit lives unused, in seconds."""
        return duration_seconds(self.idle)

    @property
    def life_seconds(self) -> int:
        """How long a visit lives at most, in seconds."""
        return duration_seconds(self.life)

    @property
    def link_seconds(self) -> int:
        """How long a one-time link can be used, in seconds."""
        return duration_seconds(self.link_ttl)


class WebhookEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[webhooks.endpoints]]: who is told of events, which ones, and the secrets that sign them."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\Z")]
    url: Annotated[str, Meta(min_length=1, max_length=2048)]
    secrets: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    events: Annotated[tuple[str, ...], Meta(min_length=1)] = ("profile.*", "step.*", "document.*", "template.*")

    def __repr__(self) -> str:
        return f"WebhookEndpoint(name={self.name!r}, ...)"


class Webhooks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[webhooks]: what is told to others by calls, and how long that is tried."""

    endpoints: tuple[WebhookEndpoint, ...] = ()
    allow_private: bool = False
    timeout_seconds: Annotated[int, Meta(ge=1, le=120)] = 10
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 16
    retry_hours: Annotated[int, Meta(ge=1, le=24 * 30)] = 24
    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 7
    waiting_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000


class CustomerType(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[sep12.types.NAME]: what one type of customer is asked."""

    level: Annotated[int, Meta(ge=0, le=100)] = 0
    templates: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()


class Sep12(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[sep12]: the door of Stellar wallets."""

    enabled: bool = False
    brand: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{0,64}\Z")] = ""
    url: str = ""
    home_domain: str = ""
    web_auth_domain: str = ""
    network_passphrase: Annotated[str, Meta(min_length=1)] = "Test SDF Network ; September 2015"  # noqa: S105 - public
    horizon: str = "https://horizon-testnet.stellar.org"
    horizon_seconds: Annotated[int, Meta(ge=1, le=60)] = 5
    key_file: Annotated[str, Meta(min_length=1)] = "keys/sep12.seed"
    token_key_file: Annotated[str, Meta(min_length=1)] = "keys/sep12-token.key"  # noqa: S105 - a path
    token_ttl: str = "12h"  # noqa: S105 - a length of time
    customer_id_base: Annotated[int, Meta(ge=1, le=2**52)] = 2**40
    retention_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    types: dict[str, CustomerType] = {}

    @property
    def token_seconds(self) -> int:
        """How long a token of SEP-10 lives, in seconds."""
        return duration_seconds(self.token_ttl)

    @property
    def host(self) -> str:
        """The host of the public address, with its port where it names one."""
        return urlsplit(self.url).netloc

    @property
    def domain(self) -> str:
        """The host of the public address without a port."""
        return urlsplit(self.url).hostname or ""


class Encryption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[encryption]: whether what is new is sealed, and where the master keys come from."""

    enabled: bool = True
    key_file: Annotated[str, Meta(min_length=1)] = "keys/master.key"
    master_key: str = ""

    def __repr__(self) -> str:
        return f"Encryption(enabled={self.enabled}, key_file={self.key_file!r}, ...)"


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting, checked: each value has its type, lies in its bounds and agrees with the others."""

    server: Server = Server()
    limits: Limits = Limits()
    tokens: Tokens = Tokens()
    storage: Storage = Storage()
    quotas: Quotas = Quotas()
    malware: Malware = Malware()
    renditions: Renditions = Renditions()
    inspection: Inspection = Inspection()
    logging: Logging = Logging()
    expiry: Expiry = Expiry()
    audit: Audit = Audit()
    idempotency: Idempotency = Idempotency()
    cache: Cache = Cache()
    rest: Rest = Rest()
    backoffice: Backoffice = Backoffice()
    portal: Portal = Portal()
    webhooks: Webhooks = Webhooks()
    sep12: Sep12 = Sep12()
    encryption: Encryption = Encryption()
