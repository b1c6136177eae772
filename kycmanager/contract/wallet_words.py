"""What the fields of the rows of wallets mean."""

from kycmanager.contract.entry import Entry

_FILE_ID = "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c"
_CUSTOMER_TYPE = Entry("The type of customer; empty is the default one", "sep31-sender")
_WALLET_ID = Entry("The id of the customer as its wallet is told it; empty for a new one", "1099511627776")

WORDS: dict[str, Entry] = {
    "added": Entry("What was added", ["sep12.person"]),
    "kept": Entry("What was there and stays", []),
    "choices": Entry("The values it may have"),
    "digest": Entry("The SHA-256 of the challenge, in hex", "ab" * 32),
    "digests": Entry("The SHA-256 of each, in hex", ["ab" * 32]),
    "error": Entry("Why it was rejected, in the language asked for", "It was issued too long ago"),
    "fields": Entry("What is still asked, by name"),
    "identity": Entry("The identity"),
    "memo": Entry("The memo; empty without one, a hash in base64", "42"),
    "memo_type": Entry("id, text or hash; empty without a memo", "id"),
    "message": Entry("Why it was rejected for good; else empty", ""),
    "optional": Entry("True when it may be left out; else missing", True),
    "provided_fields": Entry("What was sent, by name"),
    "token_memo": Entry("The memo of the token, of type id; empty without one", "42"),
    "wallet_id": Entry("The id the wallet was told; empty names the customer by the memo", "1099511627776"),
    "seed": Entry("Random bytes, in hex, of which new codes are made", "ab" * 32),
    "values": Entry("What was sent, by field", {"first_name": "Ann"}),
    "verifications": Entry("The codes, by the field they confirm", {"email_address": "123456"}),
    "wrong": Entry("The fields whose code was not right", []),
    "account": Entry(
        "The account of the wallet, G... or C...", "GBHS6NPDH5MZ4L4737PFBP6JQ5GHEVILLGPVXEUH5AMMNIB5IWBW6FV4"
    ),
}

WORDS_OF_STRUCT: dict[tuple[str, str], Entry] = {
    ("GetSepFiles", "owner_id"): Entry("The customer a file belongs to; 0 names the customer otherwise", 0),
    ("Identity", "id"): Entry("What the wallet is told as the id of its customer; never changes", 1099511627776),
    ("Identity", "customer_id"): Entry("Whom it stands for: the id itself until it is linked", 1099511627776),
    ("LinkIdentity", "customer_id"): Entry("The customer of the CRM", 42),
    ("UseChallenge", "expires"): Entry("When the challenge runs out, Unix seconds", 1767226600),
    ("WalletCustomerReply", "status"): Entry("ACCEPTED, PROCESSING, NEEDS_INFO or REJECTED", "NEEDS_INFO"),
    ("WalletField", "status"): Entry(
        "ACCEPTED, PROCESSING, REJECTED or VERIFICATION_REQUIRED; else missing", "ACCEPTED"
    ),
    ("WalletField", "type"): Entry("string, binary, number or date", "string"),
    ("SetCallback", "url"): Entry("Where the wallet wants to be told", "https://wallet.example.com/kyc"),
    ("PutCustomer", "files"): Entry("The uuids of the files, by field", {"photo_id_front": _FILE_ID}),
    ("SepFilesReply", "files"): Entry("The uuids of the files", [_FILE_ID]),
    **{(name, "type"): _CUSTOMER_TYPE for name in ("WalletRequest", "SetCallback", "PutCustomer", "GetSepFiles")},
    **{(name, "id"): _WALLET_ID for name in ("WalletCustomerReply", "PutReply", "SepFilesReply")},
}
