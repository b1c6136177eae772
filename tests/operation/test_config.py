"""Settings: the file tells the defaults, and a wrong one is named with what to do."""

import itertools
import tomllib
from pathlib import Path

import msgspec
import pytest

from kycmanager.config import (
    SECRET_VARIABLE,
    Config,
    ConfigError,
    Tokens,
    duration_seconds,
    from_table,
    load,
    markdown_table,
    split_address,
)

FILE = Path(__file__).parents[2] / "config.toml"


def test_the_file_tells_every_default():
    table = tomllib.loads(FILE.read_text())
    assert from_table(table, {}) == Config()
    for section in msgspec.structs.fields(Config):
        names = [field.name for field in msgspec.structs.fields(section.type)]
        assert list(table[section.name]) == names, section.name


def test_every_setting_has_a_comment_above_it():
    lines = FILE.read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        if " = " in line and not line.startswith("#"):
            assert before.startswith("# "), line
            assert before.endswith((".", "needed.")), before


def test_the_settings_as_a_table():
    rows = markdown_table(FILE.read_text()).splitlines()
    count = sum(len(msgspec.structs.fields(section.type)) for section in msgspec.structs.fields(Config))
    assert len(rows) == count + 2
    assert "| `limits.write_queue_max` | `8192` | Writes waiting in the whole daemon;" in "\n".join(rows)
    assert all(row.count(" | ") == 2 and not row.endswith("|  |") for row in rows[2:])
    joined = markdown_table("# lost\n\n[a]\n# One | two,\n# three.\nb = 1\n")
    assert joined.splitlines()[2] == "| `a.b` | `1` | One \\| two, three. |"


WRONG = [
    (
        {"limits": {"line_byte_max": 5}},
        "limits.line_byte_max: there is no such setting; did you mean limits.line_bytes_max?",
    ),
    ({"limit": {}}, "limit: there is no such setting; did you mean limits?"),
    ({"zz": 1}, "zz: there is no such setting; valid here: server, limits"),
    (
        {"tokens": {"public_keys": [{"file": "a", "kd": "1"}]}},
        "tokens.public_keys[0].kd: there is no such setting; did you mean tokens.public_keys[0].kid?",
    ),
    ({"tokens": {"public_keys": [5]}}, "tokens.public_keys[0]: expected `object`, got `int`"),
    ({"tokens": {"public_keys": 5}}, "tokens.public_keys: expected `array`, got `int`"),
    ({"tokens": {"public_keys": [{}]}}, "tokens.public_keys[0]: object missing required field `file`"),
    ({"limits": 5}, "limits: expected `object`, got `int`"),
    ({"limits": {"line_bytes_max": 1}}, "limits.line_bytes_max: expected `int` >= 1024"),
    ({"limits": {"line_bytes_max": 2**24}}, "limits.line_bytes_max: expected `int` <= 16777215"),
    ({"limits": {"line_bytes_max": "1"}}, "limits.line_bytes_max: expected `int`, got `str`"),
    ({"limits": {"line_bytes_max": 2.5e6}}, "limits.line_bytes_max: expected `int`, got `float`"),
    ({"limits": {"in_flight_max": True}}, "limits.in_flight_max: expected `int`, got `bool`"),
    ({"rest": {"docs": 1}}, "rest.docs: expected `bool`, got `int`"),
    ({"logging": {"format": "xml"}}, "logging.format: must be one of auto, json, console"),
    ({"tokens": {"algorithm": "none"}}, "tokens.algorithm: must be one of hs256, rs256, eddsa"),
    ({"tokens": {"ttl": "soon"}}, "tokens.ttl: 'soon' is no length of time"),
    ({"tokens": {"secret": "short"}}, "tokens.secret: shorter than 32 bytes"),
    ({"tokens": {"secret": "s" * 32, "algorithm": "eddsa"}}, "tokens.secret: only hs256 has one"),
    ({"server": {"tcp": "7400"}}, "server.tcp: '7400' is no HOST:PORT"),
    ({"server": {"http": "::1:80"}}, "server.http: '::1:80': an IPv6 address stands in brackets"),
    ({"server": {"tls_cert": "a.pem"}}, "server.tls_key: a certificate and its key belong together"),
    ({"server": {"tls_key": "a.pem"}}, "server.tls_cert: a certificate and its key belong together"),
    ({"storage": {"extensions": [".PNG"]}}, "storage.extensions: '.PNG' is none"),
    (
        {"backoffice": {"reasons": [{"code": "a", "kin": "retry"}]}},
        "backoffice.reasons[0].kin: there is no such setting; did you mean backoffice.reasons[0].kind?",
    ),
    (
        {"backoffice": {"reasons": [{"code": "a", "kind": "retry", "label": "A"}] * 2}},
        "backoffice.reasons: 'a' stands there twice for one brand",
    ),
    *(
        (
            {"backoffice": {"search_fields": [name]}},
            f"backoffice.search_fields: {name!r} is no name of a field; write it as the form does, in at most 128",
        )
        for name in ("", " who", "who ", "a\tb", "x" * 129)
    ),
    (
        {"backoffice": {"search_fields": ["who", "org.name", "who"]}},
        "backoffice.search_fields: 'who' stands there twice; remove one of them",
    ),
    ({"backoffice": {"search_fields": "who"}}, "backoffice.search_fields: expected `array`"),
    (
        {"backoffice": {"search_fields": [f"f{number}" for number in range(33)]}},
        "backoffice.search_fields: expected `array` of length <= 32",
    ),
    ({"portal": {"link_ttl": "3 days"}}, "portal.link_ttl: '3 days' is no length of time"),
    ({"portal": {"address": "kyc.example.com"}}, "portal.address: must begin with https:// or http://"),
    ({"portal": {"address": "https://kyc.example.com/portal"}}, "portal.address: must begin with https:// or http://"),
    ({"backoffice": {"lease_seconds": 5}}, "backoffice.lease_seconds: expected `int` >= 30"),
]


@pytest.mark.parametrize(("table", "words"), WRONG, ids=[row[1][:40] for row in WRONG])
def test_a_wrong_setting_is_named(table, words):
    with pytest.raises(ConfigError) as caught:
        from_table(table, {})
    assert str(caught.value).startswith(words)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be read.*--config"):
        load(tmp_path / "none.toml", {})
    (tmp_path / "bad.toml").write_text("[limits")
    with pytest.raises(ConfigError, match=r"is not TOML.*correct that line"):
        load(tmp_path / "bad.toml", {})
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(tmp_path / "bad.toml", {})


def test_the_file_of_the_folder_is_read_when_there_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load(None, {}) == Config()
    (tmp_path / "config.toml").write_text("[limits]\nwrite_queue_max = 7\n")
    assert load(None, {}).limits.write_queue_max == 7
    (tmp_path / "other.toml").write_text("[limits]\nwrite_queue_max = 8\n")
    assert load(tmp_path / "other.toml", {}).limits.write_queue_max == 8


def test_the_secret_of_the_environment_goes_first():
    table = {"tokens": {"secret": "f" * 40}}
    assert from_table(table, {SECRET_VARIABLE: "e" * 40}).tokens.secret == "e" * 40
    assert from_table(table, {SECRET_VARIABLE: ""}).tokens.secret == "f" * 40
    with pytest.raises(ConfigError, match="shorter than 32"):
        from_table({}, {SECRET_VARIABLE: "short"})


def test_lengths_of_time():
    texts = {"8h": 28_800, "30m": 1800, "7d": 604_800, "1h30m": 5400, "5s": 5, "2w": 1_209_600}
    assert {text: duration_seconds(text) for text in texts} == texts
    assert Tokens(ttl="1h30m").ttl_seconds == 5400
    for text in ("", "8", "h", "-8h", "8 h", "8H", "0s", "1.5h", "8h\n", "\u0668h"):
        with pytest.raises(ValueError, match=r"no length of time|no time at all"):
            duration_seconds(text)


def test_addresses():
    assert split_address("127.0.0.1:0") == ("127.0.0.1", 0)
    assert split_address("[::1]:7400") == ("::1", 7400)
    assert split_address("localhost:65535") == ("localhost", 65_535)
    for text in ("", ":80", "a:", "a:b", "a:65536", "a:-1", "a:\u0661", "::1:80", "[]:80"):
        with pytest.raises(ValueError, match=r"HOST:PORT|brackets"):
            split_address(text)
