-- The feed in chunks: the events of a batch stand in few rows, since writing an event a row cost more than all else
-- that a command writes; and a chunk names the fields of its records once. `event` shows the events one by one.

CREATE TABLE feed (
    last_seq INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    -- JSON: {"fields": {"step": [names]}, "events": [[seq, time, brand, customer_id, kyc_id, kind, [values]]]}, where
    -- the first word of a kind tells whose fields the values are
    events TEXT NOT NULL
);

CREATE TABLE moved AS
SELECT
    seq,
    substr(kind, 1, instr(kind, '.') - 1) AS noun,
    (SELECT json_group_array(key) FROM json_each(record)) AS names,
    json_array(
        seq, time, brand, customer_id, kyc_id, kind,
        (
            SELECT json_group_array(iif(type IN ('object', 'array'), json(value), value))
            FROM json_each(record)
        )
    ) AS line
FROM event;

INSERT INTO feed (last_seq, first_seq, events)
SELECT
    max(seq),
    min(seq),
    json_object(
        'fields', (
            SELECT json_group_object(noun, json(names))
            FROM (SELECT DISTINCT noun, names FROM moved AS held WHERE (held.seq - 1) / 256 = (moved.seq - 1) / 256)
        ),
        'events', json_group_array(json(line))
    )
FROM (SELECT * FROM moved ORDER BY seq) AS moved
GROUP BY (seq - 1) / 256;

DROP TABLE moved;
DROP TABLE event;

CREATE VIEW event AS
SELECT
    feed.last_seq AS chunk,
    line.value ->> 0 AS seq,
    line.value ->> 1 AS time,
    line.value ->> 2 AS brand,
    line.value ->> 3 AS customer_id,
    line.value ->> 4 AS kyc_id,
    line.value ->> 5 AS kind,
    (
        SELECT json_group_object(
            name.value, iif(held.type IN ('object', 'array'), json(held.value), held.value)
        )
        FROM json_each(line.value, '$[6]') AS held
        JOIN
            json_each(
                feed.events,
                '$.fields.' || substr(line.value ->> 5, 1, instr(line.value ->> 5, '.') - 1)
            ) AS name
            ON name.key = held.key
    ) AS record
FROM feed, json_each(feed.events, '$.events') AS line;

PRAGMA user_version = 2;
