"""Quotas over HTTP: named, with figures, per brand; a customer hears nothing of what its brand has."""

import pytest
from msgspec.structs import replace

from kycmanager.config import ConfigError, Quotas, from_table
from kycmanager.core import quotas_of


@pytest.fixture
def quotas(core):
    """Put quotas in force."""

    def put(**table):
        core.storage.ledger._limits_of = lambda owner: quotas_of(from_table({"quotas": table}, {}).quotas, owner)

    return put


async def test_a_customer_is_told_which_quota_and_how_much(rest, quotas):
    quotas(customer_files_max=1)
    assert (await rest.upload(headers=rest.customer()))[0] == 200
    status, answer = await rest.upload(headers=rest.customer())
    assert (status, answer["error"]) == (413, "QUOTA_EXCEEDED")
    assert answer["data"] == {"quota": "customer_files", "used": 1, "limit": 1}
    assert answer["message"] == (
        "customer_files: has no room left: 1 of 1 files are used; the operator sets it in quotas.customer_files_max"
    )
    assert (await rest.upload(headers=rest.customer(8)))[0] == 200
    assert len(rest.stored()) == 2


async def test_a_manager_counts_for_the_brand_and_a_customer_hears_no_figures_of_it(rest, quotas):
    quotas(brands={"acme": {"brand_files_max": 2}}, customer_files_max=5)
    for headers in (rest.manager(), rest.customer()):
        assert (await rest.upload(headers=headers))[0] == 200
    status, answer = await rest.upload(headers=rest.manager())
    assert (status, answer["data"]) == (413, {"quota": "brand_files", "used": 2, "limit": 2})
    status, answer = await rest.upload(headers=rest.customer())
    assert (status, answer["data"]) == (413, {"quota": "brand_files"})
    assert answer["message"] == "brand_files: has no room left; ask the support of the brand"
    assert (await rest.upload(headers=rest.manager("other")))[0] == 200


async def test_too_many_uploads_in_an_hour(rest, quotas):
    quotas(manager_uploads_per_hour_max=1)
    assert (await rest.upload())[0] == 200
    status, answer = await rest.upload()
    assert (status, answer["error"]) == (429, "RET_TOO_FREQUENT")
    assert "1 of 1 uploads of this hour; try again in " in answer["message"]


async def test_the_brand_of_a_form_decides_whenever_it_comes(rest, quotas):
    quotas(brands={"full": {"brand_bytes_max": 10}})
    boundary = "b"
    headers = {**rest.manager("full", "free"), "Content-Type": f"multipart/form-data; boundary={boundary}"}
    for brand, expected in (("full", 413), ("free", 200)):
        body = (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nsome longer text\r\n'
            b'--b\r\nContent-Disposition: form-data; name="brand"\r\n\r\n' + brand.encode() + b"\r\n--b--\r\n"
        )
        status, _, _ = await rest.ask("POST", "/upload", data=body, headers=headers)
        assert status == expected
    assert len(rest.stored()) == 1


def test_a_brand_overrides_only_what_it_names():
    quotas = from_table({"quotas": {"brand_files_max": 9, "brands": {"a": {"customer_files_max": 0}}}}, {}).quotas
    assert quotas.of("b") is quotas
    assert quotas.of("a") == replace(quotas, customer_files_max=0)
    assert Quotas().of("x") == Quotas()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"brands": {"a": {"customer_file_max": 1}}}, "quotas.brands.a.customer_file_max: there is no such setting"),
        ({"brands": {"a": 1}}, "quotas.brands"),
        ({"brands": {"a": {"brand_bytes_max": -1}}}, "quotas.brands"),
        ({"customer_files_max": "1"}, "quotas.customer_files_max: expected `int`"),
    ],
)
def test_a_wrong_quota_is_named(table, words):
    with pytest.raises(ConfigError) as caught:
        from_table({"quotas": table}, {})
    assert str(caught.value).startswith(words)
