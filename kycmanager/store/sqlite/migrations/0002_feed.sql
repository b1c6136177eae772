-- The feed in chunks: the events of a batch stand in few rows, since writing an event a row cost more than all else
-- that a command writes. `event` shows them one by one.

CREATE TABLE feed (
    last_seq INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    events TEXT NOT NULL              -- JSON: an array of the events first_seq to last_seq
);

INSERT INTO feed (last_seq, first_seq, events)
SELECT
    max(seq),
    min(seq),
    json_group_array(
        json_object(
            'seq', seq, 'time', time, 'brand', brand, 'customer_id', customer_id, 'kyc_id', kyc_id, 'kind', kind,
            'record', json(record)
        )
    )
FROM (SELECT * FROM event ORDER BY seq)
GROUP BY (seq - 1) / 256;

DROP TABLE event;

CREATE VIEW event AS
SELECT
    json_extract(value, '$.seq') AS seq,
    json_extract(value, '$.time') AS time,
    json_extract(value, '$.brand') AS brand,
    json_extract(value, '$.customer_id') AS customer_id,
    json_extract(value, '$.kyc_id') AS kyc_id,
    json_extract(value, '$.kind') AS kind,
    json_extract(value, '$.record') AS record
FROM feed, json_each(feed.events);

PRAGMA user_version = 2;
