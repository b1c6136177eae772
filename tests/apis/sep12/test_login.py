"""SEP-1 and SEP-10: what a wallet finds, how it shows who it is, and everything that is refused."""

import tomllib

import jwt
import pytest
from anchors import BRAND, HOME, NAMES, PASSPHRASE, URL, Keypair, Told, muxed, signed
from stellar_sdk import Account, ManageData, Network, TimeBounds, TransactionBuilder, TransactionEnvelope
from stellar_sdk.sep.stellar_web_authentication import build_challenge_transaction, read_challenge_transaction

from kycmanager.apis.sep12.challenge import CHALLENGE_SECONDS
from kycmanager.apis.sep12.tokens import TOKENS_KEPT_MAX
from kycmanager.outbound.calls import Answer


async def challenge(anchor, account, **query):
    reply = await anchor.ask("GET", "/sep12/auth", params={"account": account, **query})
    assert reply.status == 200, reply
    return reply.body


async def answer(anchor, text):
    return await anchor.ask("POST", "/sep12/auth", json={"transaction": text})


async def refused(anchor, text):
    reply = await answer(anchor, text)
    assert list(reply.body) == ["error"]
    return reply.status, reply.body["error"]


async def test_the_stellar_toml(anchor):
    reply = await anchor.ask("GET", "/.well-known/stellar.toml")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert tomllib.loads(reply.raw.decode()) == {
        "NETWORK_PASSPHRASE": PASSPHRASE,
        "SIGNING_KEY": anchor.app.wallets.keypair.public_key,
        "WEB_AUTH_ENDPOINT": f"{URL}/sep12/auth",
        "KYC_SERVER": f"{URL}/sep12",
        "CURRENCIES": [],
        "DOCUMENTATION": {},
    }


async def test_a_challenge_is_what_sep_10_says(anchor):
    key = Keypair.random()
    given = await challenge(anchor, key.public_key, memo="42", home_domain=HOME)
    assert set(given) == {"transaction", "network_passphrase"}
    server = anchor.app.wallets.keypair.public_key
    read = read_challenge_transaction(given["transaction"], server, HOME, HOME, PASSPHRASE)
    assert (read.client_account_id, read.memo) == (key.public_key, 42)
    transaction = read.transaction.transaction
    bounds = transaction.preconditions.time_bounds
    assert (transaction.sequence, bounds.max_time - bounds.min_time) == (0, CHALLENGE_SECONDS)
    assert [operation.data_name for operation in transaction.operations] == [f"{HOME} auth", "web_auth_domain"]


@pytest.mark.parametrize("kind", ["json", "data"])
async def test_an_answered_challenge_is_a_token_with_these_claims(anchor, kind):
    key = Keypair.random()
    text = signed(await challenge(anchor, key.public_key, memo="7"), key)
    reply = await anchor.ask("POST", "/sep12/auth", **{kind: {"transaction": text}})
    assert (reply.status, list(reply.body)) == (200, ["token"])
    claims = jwt.decode(reply.body["token"], options={"verify_signature": False})
    assert set(claims) == {"iss", "sub", "iat", "exp", "jti"}
    assert (claims["iss"], claims["sub"]) == (f"{URL}/sep12/auth", f"{key.public_key}:7")
    assert claims["exp"] - claims["iat"] == 12 * 3600


async def test_a_muxed_account_signs_in_as_such(anchor):
    key = Keypair.random()
    account = muxed(key, 42)
    reply = await answer(anchor, signed(await challenge(anchor, account), key))
    claims = jwt.decode(reply.body["token"], options={"verify_signature": False})
    assert claims["sub"] == account


async def test_the_muxed_account_of_the_standard(anchor):
    from kycmanager.apis.sep12.tokens import wallet_of

    wallet = wallet_of("MBHS6NPDH5MZ4L4737PFBP6JQ5GHEVILLGPVXEUH5AMMNIB5IWBW6AAAAAAAAAAAFJNXW")
    assert wallet.name.account == "GBHS6NPDH5MZ4L4737PFBP6JQ5GHEVILLGPVXEUH5AMMNIB5IWBW6FV4"
    assert (wallet.name.memo_type, wallet.name.memo) == ("id", "42")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "account"),
        ({"account": "GABC"}, "account"),
        ({"account": "nonsense"}, "account"),
        ({"account": "M" + "A" * 68}, "account"),
        ({"account": "G" + "A" * 55}, "account"),
        ({"account": "GBHS6NPDH5MZ4L4737PFBP6JQ5GHEVILLGPVXEUH5AMMNIB5IWBW6FV4:5"}, "account"),
        ({"account": "CA3D5KRYM6CB7OWQ6TWYRR3Z4T7GNZLKERYNZGGA5SOAOPIFY6YQGAXE"}, "account"),
        ({"memo": "hello"}, "memo"),
        ({"memo": str(2**64)}, "memo"),
        ({"memo": "-1"}, "memo"),
        ({"home_domain": "other.example.com"}, "home_domain"),
        ({"client_domain": "localhost"}, "client_domain"),
        ({"client_domain": "127.0.0.1"}, "client_domain"),
        ({"client_domain": "wallet.example.com:8080"}, "client_domain"),
        ({"client_domain": "nothing.invalid"}, "client_domain"),
    ],
)
async def test_a_challenge_for_what_is_wrong(anchor, query, field):
    good = {"account": "GBHS6NPDH5MZ4L4737PFBP6JQ5GHEVILLGPVXEUH5AMMNIB5IWBW6FV4"} if query else {}
    reply = await anchor.ask("GET", "/sep12/auth", params={**good, **query})
    assert (reply.status, reply.body["error"].partition(":")[0]) == (400, field)


async def test_a_muxed_account_takes_no_memo(anchor):
    reply = await anchor.ask("GET", "/sep12/auth", params={"account": muxed(Keypair.random(), 1), "memo": "2"})
    assert (reply.status, reply.body["error"].partition(":")[0]) == (400, "memo")


async def test_a_challenge_is_good_for_one_token(anchor):
    key = Keypair.random()
    text = signed(await challenge(anchor, key.public_key), key)
    assert (await answer(anchor, text)).status == 200
    assert await refused(anchor, text) == (400, "transaction: this challenge was used already; ask for a new one")


async def test_a_used_challenge_is_forgotten_when_it_has_run_out(anchor):
    await anchor.wallet()
    wallets = anchor.records.wallets
    assert len(wallets._challenges) == 1
    await anchor.app.core.forget()
    assert len(wallets._challenges) == 1
    anchor.ahead = CHALLENGE_SECONDS + 1
    await anchor.app.core.forget()
    assert not wallets._challenges


async def test_nobody_else_can_answer(anchor):
    key, stranger = Keypair.random(), Keypair.random()
    given = await challenge(anchor, key.public_key)
    for keys in ((), (stranger,), (key, stranger)):
        status, reason = await refused(anchor, signed(given, *keys))
        assert (status, reason.partition(":")[0]) == (400, "transaction")
    assert (await answer(anchor, signed(given, key))).status == 200


@pytest.mark.parametrize("text", ["", "x", "AAAA", "é", "A" * 20_000, "AAAAAgAAAAA="])
async def test_what_is_no_transaction(anchor, text):
    assert (await refused(anchor, text))[0] == 400


async def test_what_is_no_body(anchor):
    for more in ({}, {"json": {}}, {"json": []}, {"json": {"transaction": 5}}, {"data": b"\xff"}, {"data": {"x": "y"}}):
        reply = await anchor.ask("POST", "/sep12/auth", **more)
        assert (reply.status, list(reply.body)) == (400, ["error"])


def made(anchor, key, **change):
    """Build a challenge like ours, with something wrong in it."""
    server = anchor.app.wallets.keypair
    parts = {
        "server_secret": server.secret, "client_account_id": key.public_key, "home_domain": HOME,
        "web_auth_domain": HOME, "network_passphrase": PASSPHRASE, "timeout": 900, **change,
    }  # fmt: skip
    text = build_challenge_transaction(**parts)
    envelope = TransactionEnvelope.from_xdr(text, parts["network_passphrase"])
    envelope.sign(key)
    return envelope.to_xdr()


def late(anchor, key):
    """Build a challenge of ours that has run out."""
    envelope = TransactionEnvelope.from_xdr(made(anchor, key), PASSPHRASE)
    envelope.transaction.preconditions.time_bounds = TimeBounds(1, 2)
    envelope.signatures = []
    envelope.sign(anchor.app.wallets.keypair)
    envelope.sign(key)
    return envelope.to_xdr()


async def test_challenges_that_are_not_ours(anchor):
    key = Keypair.random()
    wrong = [
        made(anchor, key, server_secret=Keypair.random().secret),
        made(anchor, key, home_domain="other.example.com"),
        made(anchor, key, web_auth_domain="other.example.com"),
        made(anchor, key, network_passphrase=Network.PUBLIC_NETWORK_PASSPHRASE),
        late(anchor, key),
    ]
    for text in wrong:
        assert (await refused(anchor, text))[0] == 400
    assert (await answer(anchor, made(anchor, key))).status == 200


async def test_a_real_transaction_is_no_challenge(anchor):
    """One that the network would take, with a sequence and a stranger's operation, gives no token."""
    server, key = anchor.app.wallets.keypair, Keypair.random()
    builder = TransactionBuilder(Account(server.public_key, 5), PASSPHRASE, 100)
    builder.append_operation(ManageData(f"{HOME} auth", b"x" * 64, source=key.public_key))
    envelope = builder.set_timeout(900).build()
    envelope.sign(server)
    envelope.sign(key)
    assert (await refused(anchor, envelope.to_xdr()))[0] == 400


async def test_an_account_of_the_network_needs_its_medium_threshold(anchor, horizon):
    key, second, weak = (Keypair.random() for _ in range(3))
    horizon.put(key.public_key, 2, {key.public_key: 1, second.public_key: 1, weak.public_key: 0})
    given = await challenge(anchor, key.public_key)
    assert (await refused(anchor, signed(given, key)))[0] == 400
    assert (await refused(anchor, signed(given, key, weak)))[0] == 400
    assert (await answer(anchor, signed(given, key, second))).status == 200
    horizon.put(key.public_key, 1, {second.public_key: 1})
    given = await challenge(anchor, key.public_key)
    assert (await refused(anchor, signed(given, key)))[0] == 400
    assert (await answer(anchor, signed(given, second))).status == 200
    assert set(horizon.asked) == {key.public_key}


@pytest.mark.parametrize("fault", [500, 429, "no json", "{}"])
async def test_a_horizon_that_fails_is_503(anchor, horizon, fault):
    key = Keypair.random()
    horizon.fault = fault
    text = signed(await challenge(anchor, key.public_key), key)
    reply = await answer(anchor, text)
    assert (reply.status, "Horizon" in reply.body["error"]) == (503, True)
    horizon.fault = 0
    assert (await answer(anchor, text)).status == 200


@pytest.mark.parametrize("settings", [{"sep12": {"horizon": "http://127.0.0.1:9"}}], indirect=True)
async def test_a_horizon_that_is_not_there_is_503(anchor):
    key = Keypair.random()
    assert (await answer(anchor, signed(await challenge(anchor, key.public_key), key))).status == 503


async def test_tokens_of_one_kind_are_never_good_as_the_other(anchor):
    from kycmanager.domain.enums import SessionType
    from kycmanager.tokens.issue import issue_token
    from kycmanager.tokens.keys import load_keys

    wallet = await anchor.wallet()
    for path in ("/manager/kyc/profiles", "/customer/kyc", "/manager/kyc/identities"):
        assert (await anchor.ask("GET", path, wallet.token)).status == 401
    key = load_keys(anchor.config.tokens, anchor.folder).signing
    import time

    for session, brands in ((SessionType.ADMIN, None), (SessionType.CUSTOMER, [BRAND])):
        token = issue_token(key, session=session, sub=1, brands=brands, now=int(time.time()), ttl_seconds=600)
        assert (await anchor.ask("GET", "/sep12/customer", token)).status == 401


def forged(anchor, **change):
    tokens = anchor.app.wallets.tokens
    import time

    now = int(time.time())
    account = Keypair.random().public_key
    claims = {"iss": f"{URL}/sep12/auth", "sub": account, "iat": now, "exp": now + 600, "jti": "x"}
    key, algorithm = change.pop("key", tokens._key), change.pop("algorithm", "HS256")
    claims = {name: value for name, value in {**claims, **change}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm)


async def test_only_a_whole_token_of_ours_is_good(anchor):
    good = forged(anchor)
    assert (await anchor.ask("GET", "/sep12/customer", good)).status == 200
    bad = [
        "", "x", "x.y.z", good[:-4] + "AAAA", good.rpartition(".")[0] + ".", "A" * 5000,
        forged(anchor, key="k" * 48), forged(anchor, key="", algorithm="none"), forged(anchor, algorithm="HS512"),
        forged(anchor, exp=1), forged(anchor, exp=None), forged(anchor, sub=None), forged(anchor, jti=None),
        forged(anchor, iss="https://other.example.com/auth"), forged(anchor, sub="nobody"),
        forged(anchor, sub="GABC:5"), forged(anchor, exp="soon"), forged(anchor, sub=f"{muxed(Keypair.random(), 1)}:4"),
    ]  # fmt: skip
    for token in bad:
        reply = await anchor.ask("GET", "/sep12/customer", token)
        assert (reply.status, list(reply.body)) == (401, ["error"]), token
    assert (await anchor.ask("GET", "/sep12/customer")).status == 401
    assert (await anchor.ask("GET", "/sep12/customer", headers={"Authorization": "Basic eDp5"})).status == 401


async def test_a_token_runs_out(anchor):
    wallet = await anchor.wallet()
    assert (await wallet.ask("GET")).status == 200  # now it is known, which is not for ever
    anchor.ahead = 12 * 3600 + 1
    assert (await wallet.ask("GET")).status == 401


async def test_so_many_tokens_are_known_at_most(anchor):
    tokens = anchor.app.wallets.tokens
    account = Keypair.random().public_key
    many = [forged(anchor, sub=account, jti=str(number)) for number in range(TOKENS_KEPT_MAX + 10)]
    assert {tokens.verify(token).shown for token in many} == {account}
    assert tokens._known.cache_info().currsize == TOKENS_KEPT_MAX
    assert tokens.verify(many[0]).shown == account


async def test_the_token_comes_before_the_body(anchor):
    """A body that would be refused, or never ends, is not looked at without a token."""
    for method, path in (
        ("PUT", ""),
        ("PUT", "/callback"),
        ("POST", "/files"),
        ("DELETE", "/G"),
        ("PUT", "/verification"),
    ):
        reply = await anchor.ask(
            method, f"/sep12/customer{path}", data=b"{", headers={"Content-Type": "application/json"}
        )
        assert reply.status == 401


@pytest.mark.parametrize("settings", [{"tokens": {"failed_per_minute_max": 3}}], indirect=True)
async def test_wrong_tokens_are_counted(anchor):
    statuses = [(await anchor.ask("GET", "/sep12/customer", "x.y.z")).status for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]


async def test_a_contract_account_is_a_plain_subject(anchor):
    contract = "CA3D5KRYM6CB7OWQ6TWYRR3Z4T7GNZLKERYNZGGA5SOAOPIFY6YQGAXE"
    token = anchor.signed(contract)
    reply = await anchor.ask("PUT", "/sep12/customer", token, json=NAMES)
    assert reply.status == 202
    shown = await anchor.ask("GET", "/sep12/customer", token, params={"account": contract})
    assert shown.body["id"] == reply.body["id"]
    refusal = await anchor.ask("GET", "/sep12/customer", token, params={"memo": "1"})
    assert (refusal.status, refusal.body["error"].partition(":")[0]) == (400, "memo")


async def test_a_wallets_own_domain_signs_too(anchor):
    key, home = Keypair.random(), Keypair.random()
    told = Answer(200, f'SIGNING_KEY="{home.public_key}"'.encode(), cut=False)
    anchor.app.wallets._domains._caller = Told(told)
    given = await challenge(anchor, key.public_key, client_domain="wallet.example.com")
    assert (await refused(anchor, signed(given, key)))[0] == 400
    reply = await answer(anchor, signed(given, key, home))
    claims = jwt.decode(reply.body["token"], options={"verify_signature": False})
    assert (claims["client_domain"], claims["sub"]) == ("wallet.example.com", key.public_key)
