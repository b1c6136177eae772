"""Who may do what, written by hand from the manager API (section 2): never made from the rows of the commands.

Two things are asked of every command. SESSIONS: which types of session may call it at all; all others get 403. GRID: what
those who may call get, by what their token is for (the rows) and whose object they name (the columns).

The objects: `mine` belongs to customer 7 of acme, `neighbour` to customer 8 of acme, `foreign` to customer 7 of zeta,
`missing` to nobody. The tokens: `acme` and `zeta` name that one brand, `none` names no brand, `all` every brand.
A customer's token is always for customer 7, and with `none` or `all` it is no valid one: 400 whatever it asks.
No token and a bad one: 401 whatever is asked.

In a cell: a status; or for lists `200:x` where x says whose rows come: a of acme, z of zeta, - of nobody.
"""

OBJECTS = ("mine", "neighbour", "foreign", "missing")
TOKENS = ("acme", "zeta", "none", "all")

MANAGERS = ("manager", "dealer", "admin", "crm_manager", "crm_admin")
DECIDERS = ("admin", "crm_admin")
HOOKS = (*MANAGERS, "system")
CUSTOMERS = ("customer",)
EVERYBODY = ("user", "manager", "dealer", "admin", "system", "fix", "customer", "crm_manager", "crm_admin")
NOBODY = ()

BY_ID = """
        mine  neighbour  foreign  missing
acme    200   200        404      404
zeta    404   404        200      404
none    404   404        404      404
all     200   200        200      404
"""
"""A manager names an object by its id: that of another brand is answered like a missing one."""

IN_BRAND = """
        mine  neighbour  foreign  missing
acme    200   200        404      404
zeta    404   404        200      404
none    404   404        404      404
all     200   200        200      200
"""
"""A write that names a brand: `missing` is a brand nobody has heard of; brands are never registered first."""

GATE = """
        mine   neighbour  foreign  missing
acme    200:a  200:a      200:-    200:-
zeta    200:-  200:-      200:z    200:-
none    200:-  200:-      200:-    200:-
all     200:a  200:a      200:z    200:-
"""
"""A question about a customer: one of another brand is told like one who was never asked for anything."""

LIST = """
        mine   neighbour  foreign  missing
acme    200:a  200:a      200:-    200:-
zeta    200:-  200:-      200:z    200:-
none    200:-  200:-      200:-    200:-
all     200:a  200:a      200:z    200:-
"""
"""A list filtered by the brand of the object; `missing` is a brand nobody has heard of."""

LIST_ALL = """
        mine    neighbour  foreign  missing
acme    200:a   200:a      200:a    200:a
zeta    200:z   200:z      200:z    200:z
none    200:-   200:-      200:-    200:-
all     200:az  200:az     200:az   200:az
"""
"""The same list without a filter: every brand the token names, and no other."""

OWN = """
        mine  neighbour  foreign  missing
acme    200   403        403      404
zeta    403   403        200      404
none    400   400        400      400
all     400   400        400      400
"""
"""A customer names an object: another's is forbidden, be it of the own number in another brand; a missing one is 404."""

OWN_LIST = """
        mine   neighbour  foreign  missing
acme    200:a  200:a      200:a    200:a
zeta    200:z  200:z      200:z    200:z
none    400    400        400      400
all     400    400        400      400
"""
"""What a customer sees without naming anything is the own, whatever there is besides."""

OPEN = """
        mine  neighbour  foreign  missing
acme    200   200        200      200
zeta    200   200        200      200
none    200   200        200      200
all     200   200        200      200
"""
"""Nothing is named; a customer's token must still be a valid one."""

CHANNELS = """
        mine  neighbour  foreign  missing
acme    200   200        200      200
zeta    200   200        200      200
none    200   200        200      200
all     200   200        200      200
"""
"""Managers may ask for any channel and are pushed only what their brands have; who is no manager gets 403."""

OWN_CHANNEL = """
        mine  neighbour  foreign  missing
acme    200   403        403      403
zeta    403   403        200      403
none    400   400        400      400
all     400   400        400      400
"""
"""A customer's one channel is the own."""

FORBIDDEN = """
        mine  neighbour  foreign  missing
acme    403   403        403      403
zeta    403   403        403      403
none    403   403        403      403
all     403   403        403      403
"""

COMMANDS = {
    "MngAddKycStepTemplate": (MANAGERS, IN_BRAND),
    "MngUpdateKycStepTemplate": (MANAGERS, BY_ID),
    "MngDeleteKycStepTemplate": (MANAGERS, BY_ID),
    "MngGetKycStepTemplate": (MANAGERS, BY_ID),
    "MngGetKycStepTemplates": (MANAGERS, LIST),
    "MngGetKycProfile": (MANAGERS, BY_ID),
    "MngGetKycProfiles": (MANAGERS, LIST),
    "MngGetKycStep": (MANAGERS, BY_ID),
    "MngRequireKycStep": (MANAGERS, BY_ID),
    "MngSetKycRequiredLevel": (MANAGERS, IN_BRAND),
    "MngSetKycRisk": (MANAGERS, IN_BRAND),
    "MngApproveKycStep": (MANAGERS, BY_ID),
    "MngRejectKycStep": (MANAGERS, BY_ID),
    "MngReopenKycStep": (MANAGERS, BY_ID),
    "MngSkipKycStep": (MANAGERS, BY_ID),
    "MngAddKycDocument": (MANAGERS, BY_ID),
    "MngGetKycDocuments": (MANAGERS, LIST),
    "MngApproveKycDocument": (MANAGERS, BY_ID),
    "MngRejectKycDocument": (MANAGERS, BY_ID),
    "MngDeleteKycDocument": (MANAGERS, BY_ID),
    "MngGetKycFile": (MANAGERS, BY_ID),
    "MngDecideKycFile": (DECIDERS, BY_ID),
    "MngGetKycAudit": (MANAGERS, LIST),
    "MngGetKycGate": (MANAGERS, GATE),
    "MngGetKycQueue": (MANAGERS, LIST),
    "MngGetKycCase": (MANAGERS, BY_ID),
    "MngNextKycCase": (MANAGERS, IN_BRAND),
    "MngClaimKycCase": (MANAGERS, BY_ID),
    "MngRenewKycCase": (MANAGERS, BY_ID),
    "MngReleaseKycCase": (MANAGERS, BY_ID),
    "MngAddKycNote": (MANAGERS, BY_ID),
    "MngGetKycNotes": (MANAGERS, BY_ID),
    "MngGetKycReasons": (MANAGERS, OPEN),
    "MngGetKycFilters": (MANAGERS, OPEN),
    "MngSaveKycFilter": (MANAGERS, OPEN),
    "MngDeleteKycFilter": (MANAGERS, OPEN),
    "MngSearchKyc": (MANAGERS, LIST),
    "MngGetKycSearchFields": (MANAGERS, OPEN),
    "SysIndexAnswers": (NOBODY, FORBIDDEN),
    "SysCheckFields": (NOBODY, FORBIDDEN),
    "MngNoteKycAccess": (MANAGERS, BY_ID),
    "MngGetKycDuplicates": (MANAGERS, BY_ID),
    "MngGetKycTemplateImpact": (MANAGERS, IN_BRAND),
    "MngGetKycDeliveries": (MANAGERS, LIST),
    "MngReplayKycDelivery": (DECIDERS, BY_ID),
    "SysReplayDelivery": (NOBODY, FORBIDDEN),
    "SysQueueDeliveries": (NOBODY, FORBIDDEN),
    "SysSettleDelivery": (NOBODY, FORBIDDEN),
    "SysForgetDeliveries": (NOBODY, FORBIDDEN),
    "MngGetKycStatistics": (MANAGERS, OPEN),
    "SysReleaseCases": (NOBODY, FORBIDDEN),
    "kyc.require_step": (HOOKS, BY_ID),
    "kyc.set_required_level": (HOOKS, IN_BRAND),
    "CustomerGetKycStatus": (CUSTOMERS, OWN_LIST),
    "CustomerGetKycStep": (CUSTOMERS, OWN),
    "CustomerSubmitKycStep": (CUSTOMERS, OWN),
    "CustomerSaveKycAnswers": (CUSTOMERS, OWN),
    "CustomerGetKycDocuments": (CUSTOMERS, OWN),
    "CustomerAddKycDocument": (CUSTOMERS, OWN),
    "CustomerRemoveKycDocument": (CUSTOMERS, OWN),
    "MngMakeKycPortalLink": (MANAGERS, BY_ID),
    "Ping": (EVERYBODY, OPEN),
    "ServerInfo": (MANAGERS, OPEN),
    "Describe": (MANAGERS, OPEN),
    "Subscribe": (EVERYBODY, CHANNELS),
    "Unsubscribe": (EVERYBODY, CHANNELS),
    "SysRevokeToken": (NOBODY, FORBIDDEN),
    "SysRevokeSubject": (NOBODY, FORBIDDEN),
    "SysExpireDue": (NOBODY, FORBIDDEN),
    "SysRecordMalware": (NOBODY, FORBIDDEN),
    "SysCheck": (NOBODY, FORBIDDEN),
    "SysVerify": (NOBODY, FORBIDDEN),
    "SysListKeys": (NOBODY, FORBIDDEN),
    "SysRotateKeys": (NOBODY, FORBIDDEN),
    "SysSealOld": (NOBODY, FORBIDDEN),
    "SysHoldFiles": (NOBODY, FORBIDDEN),
    "SysSealRecords": (NOBODY, FORBIDDEN),
    "SysRecordKeys": (NOBODY, FORBIDDEN),
    "SysGetSepCustomer": (NOBODY, FORBIDDEN),
    "SysGetSepIdentity": (NOBODY, FORBIDDEN),
    "SysOpenSepIdentity": (NOBODY, FORBIDDEN),
    "SysSetSepCallback": (NOBODY, FORBIDDEN),
    "SysPutSepCustomer": (NOBODY, FORBIDDEN),
    "SysConfirmSepCustomer": (NOBODY, FORBIDDEN),
    "SysGetSepFiles": (NOBODY, FORBIDDEN),
    "SysAddSepTemplates": (NOBODY, FORBIDDEN),
    "SysEraseSepCustomer": (NOBODY, FORBIDDEN),
    "SysEraseKycCustomer": (NOBODY, FORBIDDEN),
    "SysUseSepChallenge": (NOBODY, FORBIDDEN),
    "SysForgetSepChallenges": (NOBODY, FORBIDDEN),
    "MngLinkKycIdentity": (MANAGERS, BY_ID),
    "MngGetKycIdentities": (MANAGERS, LIST),
    "SysGetUsers": (NOBODY, FORBIDDEN),
    "SysAddUser": (NOBODY, FORBIDDEN),
    "SysSetUser": (NOBODY, FORBIDDEN),
    "SysRemoveUser": (NOBODY, FORBIDDEN),
    "SysSignInUser": (NOBODY, FORBIDDEN),
    "SysSignInToken": (NOBODY, FORBIDDEN),
    "SysUseLogin": (NOBODY, FORBIDDEN),
    "SysEndLogin": (NOBODY, FORBIDDEN),
    "SysGetLogins": (NOBODY, FORBIDDEN),
    "SysUsePortalLink": (NOBODY, FORBIDDEN),
    "SysEndPortalVisit": (NOBODY, FORBIDDEN),
    "SysGetAuditHead": (NOBODY, FORBIDDEN),
    "SysSetOwnPassword": (NOBODY, FORBIDDEN),
    "SysSetOwnTotp": (NOBODY, FORBIDDEN),
}
"""Every command: who may call it, and what they get."""

UNFILTERED = {
    "MngGetKycStepTemplates": LIST_ALL,
    "MngGetKycProfiles": LIST_ALL,
    "MngGetKycDocuments": LIST_ALL,
    "MngGetKycAudit": LIST_ALL,
    "MngGetKycQueue": LIST_ALL,
    "MngGetKycDeliveries": LIST_ALL,
    "MngGetKycIdentities": LIST_ALL,
}
"""The lists once more, without the filter by brand."""

CHANNEL_SESSIONS = {"customer": OWN_CHANNEL, **dict.fromkeys(("user", "system", "fix"), FORBIDDEN)}
"""For Subscribe and Unsubscribe: what those get who are no managers."""

FILES = {
    "download": (
        (*MANAGERS, "customer"),
        {"customer": OWN, "manager": BY_ID},
    ),
    "upload": (
        EVERYBODY,
        {
            "customer": """
        mine  neighbour  foreign  missing
acme    200   200        200      200
zeta    200   200        200      200
none    400   400        400      400
all     400   400        400      400
""",
            "manager": IN_BRAND,
        },
    ),
}
"""Files over REST. An upload names a brand; a customer's goes to the brand of the token whatever is named."""


def cells(grid: str) -> dict[tuple[str, str], str]:
    """Read a grid: (token, object) -> cell."""
    head, *rows = (line.split() for line in grid.strip().splitlines())
    assert tuple(head) == OBJECTS
    assert tuple(row[0] for row in rows) == TOKENS
    return {(row[0], name): cell for row in rows for name, cell in zip(head, row[1:], strict=True)}
