"""What the tables of several files leave to others."""

import pytest


@pytest.fixture
def reviewing() -> set[str]:
    """What reviewers do beside deciding has tests of its own: test_desk, test_queue, test_search, test_steps, webhooks."""
    return {
        "MngNextKycCase", "MngClaimKycCase", "MngRenewKycCase", "MngReleaseKycCase", "MngAddKycNote",
        "MngSaveKycFilter", "MngDeleteKycFilter", "MngSearchKyc", "MngNoteKycAccess", "MngReopenKycStep",
        "MngReplayKycDelivery",
        "MngLinkKycIdentity",
    }  # fmt: skip
