"""The reader of config.toml: what is there, what is left out, and what is wrong with it."""

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from kycmanager.config.sections import Config, PublicKey, Reason, Sep12, WebhookEndpoint, Webhooks
from kycmanager.config.texts import duration_seconds, scanner_address, split_address

DEFAULT_FILE = Path("config.toml")
SECRET_VARIABLE = "KYCMANAGER_TOKEN_SECRET"  # noqa: S105 - the name of a variable, not its value
SECRET_BYTES_MIN = 32
MASTER_VARIABLE = "KYCMANAGER_MASTER_KEY"
FIELD_CHARS_MAX = 128
"""Of the name of a field of a form."""

_LISTED = frozenset({PublicKey, Reason, WebhookEndpoint})
_EXTENSION = re.compile(r"[a-z0-9]{1,10}")
_ADDRESS = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?")


class ConfigError(Exception):
    """A setting that cannot be used; the text names its path, the fault and what to do next."""


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
    config = msgspec.structs.replace(config, webhooks=_with_secrets(config.webhooks, environ))
    _check(config)
    return config


def _with_secrets(webhooks: Webhooks, environ: Mapping[str, str]) -> Webhooks:
    """Give each endpoint the secrets of its variable, where that is set: commas between, the newest first."""
    endpoints = []
    for endpoint in webhooks.endpoints:
        given = environ.get(webhook_variable(endpoint.name), "")
        secrets = tuple(each.strip() for each in given.split(",")) if given else endpoint.secrets
        endpoints.append(msgspec.structs.replace(endpoint, secrets=secrets))
    return msgspec.structs.replace(webhooks, endpoints=tuple(endpoints))


def webhook_variable(name: str) -> str:
    """Return the variable in which the secrets of an endpoint may stand."""
    return f"KYCMANAGER_WEBHOOK_{name.upper().replace('-', '_')}_SECRETS"


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
        if get_origin(kind) is tuple and (item := get_args(kind)[0]) in _LISTED and isinstance(value, list):
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
    _demand("backoffice.idle", duration_seconds, config.backoffice.idle)
    _demand("backoffice.life", duration_seconds, config.backoffice.life)
    for name in ("idle", "life", "link_ttl"):
        _demand(f"portal.{name}", duration_seconds, getattr(config.portal, name))
    if config.portal.address and not _ADDRESS.fullmatch(config.portal.address):
        raise ConfigError("portal.address: must begin with https:// or http:// and end with the name of the host")
    _demand("sep12.token_ttl", duration_seconds, config.sep12.token_ttl)
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
    _check_sep12(config.sep12)
    twice = [
        key
        for key, count in Counter((each.brand, each.code) for each in config.backoffice.reasons).items()
        if count > 1
    ]
    for _, code in twice:
        raise ConfigError(f"backoffice.reasons: {code!r} stands there twice for one brand; remove one of them")
    _check_search_fields(config.backoffice.search_fields)
    _check_webhooks(config.webhooks)
    for extension in config.storage.extensions:
        if not _EXTENSION.fullmatch(extension):
            raise ConfigError(f"storage.extensions: {extension!r} is none; write it in small letters without a dot")


def _check_search_fields(names: tuple[str, ...]) -> None:
    for name in names:
        if not 0 < len(name) <= FIELD_CHARS_MAX or name != name.strip() or not name.isprintable():
            raise ConfigError(
                f"backoffice.search_fields: {name!r} is no name of a field; write it as the form does, in at most"
                f" {FIELD_CHARS_MAX} characters"
            )
        if names.count(name) > 1:
            raise ConfigError(f"backoffice.search_fields: {name!r} stands there twice; remove one of them")


def _check_webhooks(webhooks: Webhooks) -> None:
    names = [endpoint.name for endpoint in webhooks.endpoints]
    for endpoint in webhooks.endpoints:
        place = f"webhooks.endpoints.{endpoint.name}"
        if names.count(endpoint.name) > 1:
            raise ConfigError(f"{place}: stands there twice; give one of them another name")
        if not endpoint.secrets or min(len(each.encode()) for each in endpoint.secrets) < SECRET_BYTES_MIN:
            raise ConfigError(
                f"{place}.secrets: needs one or more of {SECRET_BYTES_MIN} bytes or more; make one with"
                f" `openssl rand -base64 48` and put it into {webhook_variable(endpoint.name)}",
            )
        if not endpoint.url.startswith(("https://", "http://") if webhooks.allow_private else "https://"):
            raise ConfigError(f"{place}.url: must begin with https://; http:// needs webhooks.allow_private")


def _check_sep12(sep12: Sep12) -> None:
    for name, text in (("url", sep12.url), ("horizon", sep12.horizon)):
        if text and (text.endswith("/") or not _ADDRESS.fullmatch(text)):
            raise ConfigError(f"sep12.{name}: must begin with https:// or http:// and end with the name of the host")
    if not sep12.enabled:
        return
    for name, text in (("brand", sep12.brand), ("url", sep12.url), ("horizon", sep12.horizon)):
        if not text:
            raise ConfigError(f"sep12.{name}: is needed when sep12.enabled is true; set it")


def _demand(path: str, reader: Any, text: str) -> None:
    try:
        reader(text)
    except ValueError as fault:
        raise ConfigError(f"{path}: {fault}") from None
