"""Flipped bits: none is served, and none is refused without being named."""


def test_no_flipped_bit_is_served(tortured):
    told = tortured("--only", "flips", "--flips", "16", "--seed", "8")
    assert (told.code, told.faults) == (0, set()), told.text
    assert told["flips"] == 16
    assert told["flips_file"] == told["noticed_file"] > 0
    assert told["noticed_kyc.db"] + told["noticed_storage.db"] > 0
