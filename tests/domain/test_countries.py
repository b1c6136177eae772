"""The table of countries against what is known of it without another table."""

import re

import pytest

from kycmanager.domain.countries import COUNTRIES


def test_there_are_249_codes_of_two_capital_letters() -> None:
    assert len(COUNTRIES) == 249
    assert all(re.fullmatch("[A-Z]{2}", code) for code in COUNTRIES)


@pytest.mark.parametrize("code", ["AD", "AX", "BL", "BQ", "CW", "GB", "ME", "PS", "RS", "SS", "SX", "TL", "UM", "ZW"])
def test_assigned(code: str) -> None:
    assert code in COUNTRIES


@pytest.mark.parametrize("code", ["UK", "EU", "XK", "AN", "CS", "SU", "YU", "ZZ", "AA", "de", "De", "DEU", "D", ""])
def test_not_assigned(code: str) -> None:
    assert code not in COUNTRIES
