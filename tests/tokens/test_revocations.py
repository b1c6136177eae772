"""Revocations as they are kept in memory."""

from kycmanager.domain.records import Revocation
from kycmanager.tokens.revocations import Revocations


def by_jti(jti, expires):
    return Revocation(jti=jti, session=0, sub=0, not_before=0, expires=expires)


def by_subject(session, sub, not_before):
    return Revocation(jti="", session=session, sub=sub, not_before=not_before, expires=0)


def covers(revocations, jti="", session=1, sub=7, issued=100):
    return revocations.covers(jti=jti, session=session, sub=sub, issued=issued)


def test_loaded_ones_and_later_ones_count_alike():
    revocations = Revocations([by_jti("a", 50), by_subject(1, 7, 90)])
    assert covers(revocations, jti="a")
    assert not covers(revocations)
    before = revocations.epoch
    revocations.add(by_subject(1, 7, 101))
    assert revocations.epoch > before
    assert covers(revocations)
    assert not covers(revocations, issued=101)
    assert not covers(revocations, session=3)
    assert not covers(revocations, sub=8)


def test_an_earlier_date_never_lifts_a_later_one():
    revocations = Revocations([by_subject(1, 7, 200), by_subject(1, 7, 50)])
    assert covers(revocations, issued=199)


def test_what_has_run_out_is_forgotten():
    revocations = Revocations([by_jti("a", 50), by_jti("b", 51), by_jti("for ever", 0), by_subject(1, 7, 10)])
    revocations.forget(50)
    assert [covers(revocations, jti=jti) for jti in ("a", "b", "for ever")] == [False, True, True]
    assert len(revocations) == 3
