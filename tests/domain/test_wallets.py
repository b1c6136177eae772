"""Whom a request of a wallet means, and whom a caller reaches."""

import base64

import pytest

from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.wallets import CustomerType, CustomerTypes, Identity, WalletName, memo_of, named, reaches

G = "GBHS6NPDH5MZ4L4737PFBP6JQ5GHEVILLGPVXEUH5AMMNIB5IWBW6FV4"
M = "MBHS6NPDH5MZ4L4737PFBP6JQ5GHEVILLGPVXEUH5AMMNIB5IWBW6AAAAAAAAAAAFJNXW"
C = "CA3D5KRYM6CB7OWQ6TWYRR3Z4T7GNZLKERYNZGGA5SOAOPIFY6YQGAXE"
HASH = base64.b64encode(bytes(range(32))).decode()
PLAIN, USER = WalletName(G), WalletName(G, "id", "42")


def identity(name):
    return Identity(2**40, "acme", 2**40, name.account, name.memo_type, name.memo, 1, 1, 1)


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("", "", ("", "")), ("text", "", ("", "")), ("", "42", ("id", "42")), ("id", "0042", ("id", "42")),
        ("id", str(2**64 - 1), ("id", str(2**64 - 1))), ("text", "é" * 14, ("text", "é" * 14)),
        ("hash", HASH, ("hash", HASH)), ("hash", bytes(range(32)).hex().upper(), ("hash", HASH)),
    ],
)  # fmt: skip
def test_one_form_of_each_memo(kind, text, kept):
    assert memo_of(kind, text) == kept


@pytest.mark.parametrize(
    ("kind", "text", "field"),
    [
        ("number", "1", "memo_type"), ("id", "x", "memo"), ("id", str(2**64), "memo"), ("id", "٤", "memo"),
        ("id", "-1", "memo"), ("text", "é" * 15, "memo"), ("hash", "x", "memo"), ("hash", HASH[:-4], "memo"),
        ("hash", "é", "memo"), ("number", "", "memo_type"),
    ],
)  # fmt: skip
def test_what_is_no_memo(kind, text, field):
    with pytest.raises(KycError) as caught:
        memo_of(kind, text)
    assert (caught.value.code, caught.value.message.partition(":")[0]) == (Code.INVALID_DATA, field)


@pytest.mark.parametrize(
    ("caller", "shown", "sent", "meant"),
    [
        (PLAIN, G, {}, PLAIN),
        (PLAIN, G, {"account": G}, PLAIN),
        (PLAIN, G, {"memo": "7"}, WalletName(G, "id", "7")),
        (PLAIN, G, {"memo": "7", "memo_type": "text"}, WalletName(G, "text", "7")),
        (USER, G, {}, USER),
        (USER, G, {"memo": "042"}, USER),
        (USER, M, {"account": M}, USER),
        (USER, M, {"account": G, "memo": "42"}, USER),
        (WalletName(C), C, {}, WalletName(C)),
    ],
)
def test_whom_a_request_means(caller, shown, sent, meant):
    assert named(caller, shown, **{"account": "", "memo": "", "memo_type": "", **sent}) == meant


@pytest.mark.parametrize(
    ("caller", "shown", "sent", "code"),
    [
        (PLAIN, G, {"account": C}, Code.FORBIDDEN),
        (PLAIN, G, {"account": M}, Code.FORBIDDEN),
        (USER, G, {"memo": "43"}, Code.FORBIDDEN),
        (USER, G, {"memo": "42", "memo_type": "text"}, Code.FORBIDDEN),
        (WalletName(C), C, {"memo": "1"}, Code.INVALID_DATA),
    ],
)
def test_what_may_not_be_meant(caller, shown, sent, code):
    with pytest.raises(KycError) as caught:
        named(caller, shown, **{"account": "", "memo": "", "memo_type": "", **sent})
    assert caught.value.code is code


def test_whom_a_caller_reaches():
    everybody = [PLAIN, USER, WalletName(G, "text", "42"), WalletName(C)]
    reached = {caller: [reaches(caller, identity(each)) for each in everybody] for caller in everybody}
    assert reached == {
        PLAIN: [True, True, True, False],
        USER: [False, True, False, False],
        WalletName(G, "text", "42"): [False, False, True, False],
        WalletName(C): [False, False, False, True],
    }


def test_types():
    types = CustomerTypes({"sender": CustomerType(templates=("person",)), "default": CustomerType(level=2)})
    assert types.of("") == types.of("default") == CustomerType(level=2)
    assert types.names_template("person")
    assert not types.names_template("other")
    with pytest.raises(KycError, match="default, sender"):
        types.of("receiver")
    assert CustomerTypes().of("").templates == ("sep12.default",)
