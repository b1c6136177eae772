import pytest

from kycmanager.config import ConfigError, from_table

SECRET = "s" * 32
ONE = {"name": "crm", "url": "https://crm.example.com/kyc", "secrets": [SECRET]}


def table(*endpoints, **webhooks):
    return {"webhooks": {"endpoints": list(endpoints), **webhooks}}


def test_an_endpoint_and_its_defaults():
    (found,) = from_table(table(ONE), {}).webhooks.endpoints
    assert (found.name, found.url, found.secrets, found.brands) == ("crm", ONE["url"], (SECRET,), ())
    assert found.events == ("profile.*", "step.*", "document.*", "template.*")
    assert SECRET not in repr(found)


def test_secrets_from_the_environment():
    other = {"name": "data-lake", "url": "https://lake.example.com/"}
    environ = {"KYCMANAGER_WEBHOOK_DATA_LAKE_SECRETS": f"{'n' * 40}, {'o' * 40}"}
    found = from_table(table(ONE, other), environ).webhooks.endpoints
    assert [each.secrets for each in found] == [(SECRET,), ("n" * 40, "o" * 40)]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (table({**ONE, "secrets": []}), "webhooks.endpoints.crm.secrets: needs one or more of 32 bytes or more"),
        (table({**ONE, "secrets": [SECRET, "short"]}), "put it into KYCMANAGER_WEBHOOK_CRM_SECRETS"),
        (table(ONE, ONE), "webhooks.endpoints.crm: stands there twice"),
        (table({**ONE, "url": "http://crm/"}), "webhooks.endpoints.crm.url: must begin with https://"),
        (table({**ONE, "url": "ftp://crm/"}, allow_private=True), "must begin with https://"),
        (table({**ONE, "secret": SECRET}), "webhooks.endpoints[0].secret: there is no such setting; did you mean"),
        (table({**ONE, "name": "C R M"}), "webhooks.endpoints"),
        (table({**ONE, "name": "crm\n"}), "webhooks.endpoints"),
        (table({"name": "crm"}), "url"),
        (table({**ONE, "events": []}), "events"),
        (table(concurrency=0), "webhooks.concurrency"),
    ],
)
def test_what_is_wrong_is_named(given, says):
    with pytest.raises(ConfigError) as caught:
        from_table(given, {})
    assert says in str(caught.value)


def test_http_where_private_addresses_are_allowed():
    assert from_table(table({**ONE, "url": "http://crm/"}, allow_private=True), {}).webhooks.allow_private


@pytest.mark.parametrize("url", ["https://10.0.0.1/hook", "https://me@crm.example.com/", "https://crm.example.com/#a"])
async def test_a_url_that_would_never_be_called_stops_the_start(open_sending, url):
    with pytest.raises(ConfigError, match=r"webhooks\.endpoints\.crm\.url: the URL "):
        await open_sending(url, allow_private=False)
