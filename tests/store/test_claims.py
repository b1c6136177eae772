"""Who holds what, and what has run out."""

from kycmanager.domain.case import ANY
from kycmanager.domain.records import Claim
from kycmanager.store.claims import Claims


def claim(kyc_id, assignee=7, until=10, session=1):
    return Claim(kyc_id, assignee, session, 0, until)


def test_a_lease_is_over_at_its_end_and_not_before():
    claims = Claims()
    claims.put(claim(1, until=10))
    assert list(claims.held(9)) == [1]
    assert claims.lapsed(9, 5) == []
    assert list(claims.held(10)) == list(claims.held_by(7, ANY, 10)) == []
    assert claims.lapsed(10, 5) == [1]
    claims.remove(1)
    assert claims.lapsed(10, 5) == []
    claims.remove(1)
    assert not claims.table


def test_a_renewed_lease_goes_by_its_new_end():
    claims = Claims()
    claims.put(claim(1, until=10))
    claims.put(claim(1, until=20))
    assert claims.lapsed(15, 5) == []
    assert list(claims.held_by(7, ANY, 15)) == [1]
    assert claims.lapsed(20, 5) == [1]
    claims.put(claim(1, until=30))
    assert claims.lapsed(25, 5) == []
    assert list(claims.held(25)) == [1]


def test_a_case_that_is_taken_over_is_no_longer_of_who_held_it():
    claims = Claims()
    claims.put(claim(1, assignee=7))
    claims.put(claim(2, assignee=7))
    claims.put(claim(1, assignee=8, session=3))
    assert list(claims.held_by(7, ANY, 5)) == [2]
    assert list(claims.held_by(8, ANY, 5)) == [1]
    assert sorted(claims.of(1, 7)) == [2]
    assert sorted(claims.of(3, 8)) == [1]
    assert list(claims.of(1, 8)) == []


def test_the_same_number_in_two_types_of_session_is_two_holders_of_one_assignee():
    claims = Claims()
    claims.put(claim(1, session=1))
    claims.put(claim(2, session=3))
    assert list(claims.held_by(7, ANY, 5)) == [1, 2]
    assert [list(claims.held_by(7, session, 5)) for session in (1, 3, 9)] == [[1], [2], []]
    assert list(claims.held_by(7, 1, 10)) == []
    assert list(claims.of(1, 7)) == [1]
    assert list(claims.of(3, 7)) == [2]


def test_many_renewals_leave_few_ends_behind():
    claims = Claims()
    for number in range(1000):
        claims.put(claim(1, until=10 + number))
    assert len(claims._ends) < 100
    assert claims.lapsed(1009, 5) == [1]


def test_what_has_run_out_is_told_in_parts():
    claims = Claims()
    for kyc_id in (5, 3, 4):
        claims.put(claim(kyc_id))
    assert claims.lapsed(10, 2) == [3, 4]
