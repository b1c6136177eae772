"""The words of the pages."""

import pytest
from office import Visitor

from kycmanager.backoffice.shell import KEPT_MAX, Shell
from kycmanager.domain.enums import StepStatus
from kycmanager.pages import texts


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 min"), (0, "0 min"), (3599, "59 min"), (3600, "1 h 0 min"), (86_399, "23 h 59 min"), (90_000, "1 d 1 h")],
)
def test_lengths_of_time(seconds, words):
    assert texts.span(seconds) == words


def test_moments_are_utc():
    assert texts.moment(1_800_000_000) == "2027-01-15 08:00"
    assert texts.machine_time(1_800_000_000) == "2027-01-15T08:00:00Z"
    assert texts.moment(0) == ""


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 KB"), (20_971_520, "21.0 MB")]
)
def test_sizes(count, words):
    assert texts.size(count) == words


def test_words_for_numbers():
    assert texts.label("profile", 6) == "review required"
    assert texts.choices(StepStatus)[:2] == [("0", "required"), ("1", "pending")]


def test_notices_that_nobody_fetches_are_bounded():
    from kycmanager.backoffice.shell import VISIT
    from kycmanager.backoffice.visits import Visit

    class Login:
        def __init__(self, number):
            self.id = number

    shell = Shell(None, ())
    for number in range(KEPT_MAX + 5):
        visit = Visit(cookie="", csrf="", address="", login=Login(number))
        for text in "abcdefg" if number == KEPT_MAX else "a":
            shell.tell({VISIT: visit}, text)
    assert len(shell._notices) == KEPT_MAX
    assert [notice.text for notice in shell._taken(visit)] == ["a"]
    before = Visit(cookie="", csrf="", address="", login=Login(KEPT_MAX))
    assert [notice.text for notice in shell._taken(before)] == list("cdefg")
    shell.tell({VISIT: Visit(cookie="", csrf="", address="")}, "nobody is told")
    assert len(shell._notices) == KEPT_MAX - 2


async def test_who_cannot_be_checked_now_is_told_to_come_again(office, monkeypatch):
    from kycmanager.backoffice import passwords

    monkeypatch.setattr(passwords, "WAITING_MAX", 0)
    visitor = Visitor(office.url)
    answer = await visitor.sign_in()
    await visitor.http.close()
    assert (answer.status, "Nothing was changed. Try again in a few seconds." in answer.words) == (503, True)
