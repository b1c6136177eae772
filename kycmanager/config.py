"""The settings of the daemon: frozen sections, their defaults and bounds, and the reader of config.toml."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

DEFAULT_FILE = Path("config.toml")
SECRET_VARIABLE = "KYCMANAGER_TOKEN_SECRET"  # noqa: S105 - the name of a variable, not its value
SECRET_BYTES_MIN = 32
MASTER_VARIABLE = "KYCMANAGER_MASTER_KEY"

KIB = 1024
MIB = 1024 * KIB

Positive = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]
SecondsOrOff = Annotated[int, Meta(ge=0, le=86_400)]
MessageBytes = Annotated[int, Meta(ge=KIB, le=16 * MIB - 1)]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:[0-9]{1,9}[smhdw])+")
_EXTENSION = re.compile(r"[a-z0-9]{1,10}")
_PORT_MAX = 65_535


class ConfigError(Exception):
    """A setting that cannot be used; the text names its path, the fault and what to do next."""


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
    logging: Logging = Logging()
    expiry: Expiry = Expiry()
    audit: Audit = Audit()
    idempotency: Idempotency = Idempotency()
    cache: Cache = Cache()
    rest: Rest = Rest()
    encryption: Encryption = Encryption()


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the settings of `path`; of ./config.toml when None and there is one; else the defaults.

    KYCMANAGER_TOKEN_SECRET, when set, replaces `tokens.secret`, and KYCMANAGER_MASTER_KEY `encryption.master_key`.
    Raises ConfigError.
    """
    table = _read(path) if path is not None or DEFAULT_FILE.is_file() else {}
    return from_table(table, environ)


def from_table(table: dict[str, Any], environ: Mapping[str, str]) -> Config:
    """Build the settings from a parsed config.toml; a setting that is left out has its default. Raises ConfigError."""
    _refuse_unknown(Config, table, "")
    try:
        config = msgspec.convert(table, Config)
    except msgspec.ValidationError as fault:
        raise ConfigError(_located(str(fault))) from None
    if secret := environ.get(SECRET_VARIABLE, ""):
        tokens = msgspec.structs.replace(config.tokens, secret=secret)
        config = msgspec.structs.replace(config, tokens=tokens)
    if keys := environ.get(MASTER_VARIABLE, ""):
        encryption = msgspec.structs.replace(config.encryption, master_key=keys)
        config = msgspec.structs.replace(config, encryption=encryption)
    _check(config)
    return config


def duration_seconds(text: str) -> int:
    """Read a length of time such as 8h, 30m, 7d or 1h30m as seconds above 0; raises ValueError."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no length of time; write it like 30m, 8h or 7d")
    total = sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"[0-9]+[smhdw]", text))
    if total <= 0:
        raise ValueError(f"{text!r} is no time at all; write it like 30m, 8h or 7d")
    return total


def split_address(text: str) -> tuple[str, int]:
    """Split HOST:PORT or [IPV6]:PORT; port 0 means any free one; raises ValueError."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r}: an IPv6 address stands in brackets, [::1]:7400 for one")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= _PORT_MAX):
        raise ValueError(f"{text!r} is no HOST:PORT; write it like 127.0.0.1:7400, port 0 for any free one")
    return host, int(port)


def scanner_address(text: str) -> tuple[str, str, int]:
    """Read unix:PATH or HOST:PORT as (path, host, port), empty as ("", "", 0); raises ValueError."""
    if not text:
        return "", "", 0
    if text.startswith("unix:"):
        if text == "unix:":
            raise ValueError(f"{text!r} names no socket; write it like unix:/run/clamav/clamd.ctl")
        return text.removeprefix("unix:"), "", 0
    host, port = split_address(text)
    if not port:
        raise ValueError(f"{text!r} has no port; write it like 127.0.0.1:3310 or unix:/run/clamav/clamd.ctl")
    return "", host, port


def markdown_table(config_toml_text: str) -> str:
    """Make the table of settings, their defaults and meaning from the text of config.toml, as Markdown."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    section = comment = ""
    for line in config_toml_text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.startswith("#"):
            comment = f"{comment} {line.lstrip('# ')}".strip()
            continue
        elif " = " in line:
            name, _, default = line.partition(" = ")
            meaning = comment.replace("|", "\\|")
            rows.append(f"| `{section}.{name}` | `{default}` | {meaning} |")
        comment = ""
    return "\n".join(rows) + "\n"


def _read(path: Path | None) -> dict[str, Any]:
    source = path or DEFAULT_FILE
    try:
        return tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as fault:
        raise ConfigError(f"{source} cannot be read ({fault.strerror}); name another file with --config") from None
    except ValueError as fault:
        raise ConfigError(f"{source} is not TOML: {fault}; correct that line") from None


def _refuse_unknown(section: type[Struct], table: dict[str, Any], path: str) -> None:
    kinds = {field.name: field.type for field in msgspec.structs.fields(section)}
    for name, value in table.items():
        if name not in kinds:
            raise ConfigError(f"{path}{name}: there is no such setting; {_nearest(name, path, kinds)}")
        kind = kinds[name]
        if get_origin(kind) is tuple and (item := get_args(kind)[0]) is PublicKey and isinstance(value, list):
            for index, entry in enumerate(value):
                if isinstance(entry, dict):
                    _refuse_unknown(item, entry, f"{path}{name}[{index}].")
        elif get_origin(kind) is dict and isinstance(value, dict):
            for key, entry in value.items():
                if isinstance(entry, dict):
                    _refuse_unknown(get_args(kind)[1], entry, f"{path}{name}.{key}.")
        elif isinstance(kind, type) and issubclass(kind, Struct) and isinstance(value, dict):
            _refuse_unknown(kind, value, f"{path}{name}.")


def _nearest(name: str, path: str, kinds: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, kinds, n=1, cutoff=0.5)
    return f"did you mean {path}{near[0]}?" if near else f"valid here: {', '.join(kinds)}"


def _located(message: str) -> str:
    """Turn `Expected ... - at `$.limits.x`` into `limits.x: expected ...`."""
    reason, _, place = message.partition(" - at `$")
    path = place.rstrip("`").lstrip(".") or "config.toml"
    if choices := _choices(path):
        reason = f"must be one of {', '.join(choices)}"
    return f"{path}: {reason[:1].lower()}{reason[1:]}; correct that setting"


def _choices(path: str) -> tuple[str, ...]:
    """Return the words a setting may have, none when it is not one of a few."""
    kind: Any = Config
    for name in path.split("."):
        kind = next((field.type for field in msgspec.structs.fields(kind) if field.name == name), None)
        if not (isinstance(kind, type) and issubclass(kind, Struct)):
            break
    return get_args(kind) if get_origin(kind) is Literal else ()


def _check(config: Config) -> None:
    """Refuse what types and bounds cannot say."""
    server, tokens = config.server, config.tokens
    _demand("server.tcp", split_address, server.tcp)
    _demand("server.http", split_address, server.http)
    _demand("tokens.ttl", duration_seconds, tokens.ttl)
    _demand("malware.address", scanner_address, config.malware.address)
    if bool(server.tls_cert) != bool(server.tls_key):
        missing = "tls_key" if server.tls_cert else "tls_cert"
        raise ConfigError(f"server.{missing}: a certificate and its key belong together; set both or none")
    if tokens.secret and tokens.algorithm != "hs256":
        raise ConfigError(
            f"tokens.secret: only hs256 has one; remove it or set tokens.algorithm, now {tokens.algorithm}"
        )
    if tokens.secret and len(tokens.secret.encode()) < SECRET_BYTES_MIN:
        raise ConfigError(
            f"tokens.secret: shorter than {SECRET_BYTES_MIN} bytes; make one with `openssl rand -base64 48`"
            f" and put it into {SECRET_VARIABLE}",
        )
    for extension in config.storage.extensions:
        if not _EXTENSION.fullmatch(extension):
            raise ConfigError(f"storage.extensions: {extension!r} is none; write it in small letters without a dot")


def _demand(path: str, reader: Any, text: str) -> None:
    try:
        reader(text)
    except ValueError as fault:
        raise ConfigError(f"{path}: {fault}") from None
