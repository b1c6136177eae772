-- What is told to others by calls: what waits to be sent, what became of it, and how far each channel has looked.

CREATE TABLE outbound (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    brand TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    recipient INTEGER NOT NULL,       -- where a channel tells several of one event, else 0
    seq INTEGER NOT NULL,             -- of the event
    kind TEXT NOT NULL,
    state INTEGER NOT NULL,           -- 0 waiting, 1 delivered, 2 dead, 3 dropped
    attempts INTEGER NOT NULL,
    created_time INTEGER NOT NULL,
    since INTEGER NOT NULL,           -- when its time to be tried began
    next_time INTEGER NOT NULL,
    ended_time INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    body TEXT NOT NULL,               -- empty = made of the event; emptied once it has arrived
    sum BLOB NOT NULL
);

CREATE INDEX outbound_customer ON outbound (customer_id, id);
CREATE INDEX outbound_kept ON outbound (id) WHERE state IN (0, 2);
CREATE INDEX outbound_ended ON outbound (ended_time) WHERE ended_time > 0;

-- The number of the last event that was looked at.
CREATE TABLE outbound_cursor (
    channel TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    sum BLOB NOT NULL
) WITHOUT ROWID;

-- What a channel has last told somebody, where it tells only what is new.
CREATE TABLE outbound_mark (
    channel TEXT NOT NULL,
    recipient INTEGER NOT NULL,
    mark TEXT NOT NULL,
    sum BLOB NOT NULL,
    PRIMARY KEY (channel, recipient)
) WITHOUT ROWID;

INSERT INTO counter (name, value)
VALUES ('delivery', 1);

PRAGMA user_version = 7;
