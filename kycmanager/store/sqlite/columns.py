"""The columns of each table that its sum covers, in the order of the sum; `sum` itself comes after them."""

COLUMNS = {
    "template": """
    id, brand, level, code, name, description, step_type, required, status, sort_index, created_time, updated_time,
    version, requirements, form_schema""",
    "template_text": "template_id, version, requirements, form_schema",
    "profile": """
    id, customer_id, brand, status, current_level, required_level, risk_level, created_time, updated_time, version""",
    # The customer and the brand of steps and documents are those of their profile, and read from there.
    "step": """
    id, kyc_id, template_id, template_version, level, code, name, step_type, required, explicit, status,
    submitted_time, created_time, updated_time, reviewed_time, reviewed_by, reason, comment, expire_time, version,
    answers""",
    "document": """
    id, kyc_id, step_id, type, status, file_id, file_name, content_type, file_size, checksum, created_time,
    updated_time, reviewed_time, reviewed_by, reason, comment, expire_time, version""",
    "audit": """
    id, time, brand, customer_id, kyc_id, step_id, document_id, template_id, action, actor_id, actor_session, source,
    reason, comment, old_status, new_status, details""",
    "feed": "last_seq, first_seq, events",
    "idempotency": "scope, digest, record_id, record_version, time",
    "revocation": "jti, session, sub, not_before, expires",
    "user": """
    id, name, role, brands, status, password, totp, totp_counter, created_time, updated_time, version""",
    "claim": "kyc_id, assignee, assignee_session, claimed_time, lease_until",
    # The customer and the brand are those of the profile.
    "note": "id, kyc_id, time, author_id, author_session, version, content",
    "queue_filter": "session, sub, name, updated_time, filter",
    "tally": "brand, day, counts",
    "tally_mark": "version, cursor, touched",
    "lookup": "step_id, digests",
    "lookup_mark": "version, key, fields, cursor",
    "identity": "id, brand, customer_id, account, memo_type, memo, created_time, updated_time, version",
    "callback": """
    id, brand, customer_id, url, account, memo_type, memo, type, lang, created_time, updated_time, version""",
    "challenge": "digest, expires",
    "verification": """
    id, kyc_id, field, subject, salt, digest, attempts, sends, first_time, sent_time, expires, confirmed_time""",
    "login": """
    id, cookie_hash, user_id, session, sub, brands, jti, issued, created_time, used_time, expires, address, agent""",
    "outbound": """
    id, channel, brand, customer_id, recipient, seq, kind, state, attempts, created_time, since, next_time, ended_time,
    outcome, body""",
    "outbound_cursor": "channel, seq",
    "outbound_mark": "channel, recipient, mark",
}

SELECT = {table: f"SELECT {columns}, sum FROM {table} " for table, columns in COLUMNS.items()}  # noqa: S608 - constants
"""The beginning of every question for whole rows."""

PACKED = {
    table: f"SELECT json_array({packed.rstrip().rstrip(',')}), {apart}sum FROM {table} "  # noqa: S608 - constants
    for table, apart in (("profile", ""), ("step", "answers, "), ("document", ""))
    for packed in [f"{COLUMNS[table]}, ".removesuffix(apart)]
}
"""The same for the tables of many rows, all that JSON can hold as one array; answers may be bytes."""

ORDER = {
    "template_text": "template_id, version",
    "feed": "last_seq",
    "claim": "kyc_id",
    "tally": "brand, day",
    "tally_mark": "version",
    "lookup": "step_id",
    "lookup_mark": "version",
    "queue_filter": "session, sub, name",
    "challenge": "digest",
    "outbound_cursor": "channel",
    "outbound_mark": "channel, recipient",
}
"""The order of a table that has no `id`, or another one."""

LOADED = {"outbound": "WHERE state IN (0, 2)"}
"""Which rows of a table are read at the start, where not all are."""
