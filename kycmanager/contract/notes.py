"""What is to be known of single commands beside their fields, for the reference and the OpenAPI document."""

from msgspec import Struct


class Note(Struct, frozen=True):
    """A paragraph on a command, and the chapters of the reference that tell more."""

    text: str = ""
    chapters: tuple[str, ...] = ()


_BRANDS = "Brands are not registered: for a token of all brands a mistyped brand is a new one."
_LEVEL = Note(
    "A required level only rises; a lower one is accepted and changes nothing. Required active templates up to the "
    "level are attached at this moment: for those added later, call again with the same level. Where a brand has no "
    f"required template up to the level, the gate stays closed with nothing missing. {_BRANDS}"
)

NOTES: dict[str, Note] = {
    "MngAddKycStepTemplate": Note(
        f"Customers who were asked its level before get a step when the level is asked again. {_BRANDS}", ("Forms",)
    ),
    "MngUpdateKycStepTemplate": Note("Steps that were made before keep the form of their version.", ("Forms",)),
    "MngGetKycProfile": Note(
        "By customer over REST: `/manager/kyc/profiles/0?customer_id=42&brand=acme`; id 0 means that customer and "
        "brand name the profile."
    ),
    "MngSetKycRequiredLevel": _LEVEL,
    "kyc.set_required_level": _LEVEL,
    "MngApproveKycStep": Note(chapters=("Moves",)),
    "MngRejectKycStep": Note(chapters=("Moves",)),
    "MngReopenKycStep": Note("It is pending as before; the customer reads no reason any more.", ("Moves",)),
    "MngSkipKycStep": Note(chapters=("Moves",)),
    "MngApproveKycDocument": Note(chapters=("Moves",)),
    "MngRejectKycDocument": Note(chapters=("Moves",)),
    "MngDeleteKycDocument": Note("The row and the file stay.", ("Moves", "Files")),
    "MngDecideKycFile": Note(
        "A quarantined file can be released or refused, a released one refused after a later finding; a refused one "
        "stays refused. Each document it is attached to is told by an event.",
        ("Files",),
    ),
    "CustomerRemoveKycDocument": Note("The row and the file stay.", ("Moves", "Files")),
    "MngMakeKycPortalLink": Note(
        "Whoever holds the link is the customer, once. It is told this once: repeated with the same idempotency key "
        "the answer is 409 `INVALID_STATE`. It goes with the customer's tokens when these are revoked."
    ),
    "MngGetKycFile": Note(chapters=("Files",)),
    "MngAddKycDocument": Note(chapters=("Files",)),
    "CustomerAddKycDocument": Note(chapters=("Files",)),
    "MngGetKycStatistics": Note(
        "Counted from the event feed, a second or two behind it: `uncounted` tells how far. Decisions are those on "
        "steps, each on its day of UTC. A step is first touched when its case is claimed or when it, or one of its "
        "documents, is decided; a mere look is no event and does not count. Medians and p90 are nearest ranks, exact "
        "below 20 seconds and off by at most 5 % above; those of the queue are exact.",
        ("Events",),
    ),
    "MngGetKycAudit": Note(chapters=("Actions",)),
    "CustomerSubmitKycStep": Note(chapters=("Answers", "Moves")),
    "CustomerSaveKycAnswers": Note(chapters=("Answers",)),
    "Subscribe": Note(
        "Channels `kyc...` need a manager session, or are the customer's own; others are accepted and ignored.",
        ("Events",),
    ),
    "Unsubscribe": Note("The same channels as for Subscribe.", ("Events",)),
}
"""By command."""

_NONE = Note()


def note(command: str) -> Note:
    """Return the note on a command, an empty one where there is none."""
    return NOTES.get(command, _NONE)
