-- Categories of tier sets, reasons of changes, what movement policies and retention rules remember, overrides, and what goes out
-- to people and other systems.
--
-- Days are whole days since 1970-01-01; views show them as YYYY-MM-DD.

ALTER TABLE tier_set ADD COLUMN family TEXT NOT NULL DEFAULT '';
ALTER TABLE tier_set ADD COLUMN category TEXT;
UPDATE tier_set SET family = name;

-- Why levels change: a few words, each stored once.
CREATE TABLE reason (
    id   INTEGER PRIMARY KEY,
    text TEXT    NOT NULL UNIQUE
) STRICT;

-- NULL in rows of version 1.
ALTER TABLE transition ADD COLUMN reason INTEGER REFERENCES reason (id);

-- Actions of retention rules; 0 in runs of version 1.
ALTER TABLE run ADD COLUMN actions INTEGER NOT NULL DEFAULT 0;

-- What the movement policy of a set remembers. A subject without a row remembers nothing, and its policy gives the held level.
CREATE TABLE movement (
    tier_set     INTEGER NOT NULL REFERENCES tier_set (id),
    subject      ANY     NOT NULL,
    policy       INTEGER,
    below_since  INTEGER,
    locked_until INTEGER,
    decided      INTEGER,
    PRIMARY KEY (tier_set, subject),
    FOREIGN KEY (tier_set, policy) REFERENCES level (tier_set, id)
) STRICT, WITHOUT ROWID;

-- By name, not by id: an override may be older than the first run of its set, and outlives edits of the rules.
CREATE TABLE override (
    id           INTEGER PRIMARY KEY,
    tier_set     TEXT    NOT NULL,
    subject_kind TEXT    NOT NULL,
    subject      ANY     NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN ('pin', 'floor', 'ceiling')),
    level        TEXT    NOT NULL,
    reason       TEXT    NOT NULL CHECK (trim(reason) <> ''),
    approver     TEXT    NOT NULL CHECK (trim(approver) <> ''),
    starts       INTEGER NOT NULL,
    expires      INTEGER NOT NULL CHECK (expires > starts),
    created      INTEGER NOT NULL,
    ended        INTEGER,
    ended_by     TEXT,
    ended_why    TEXT,
    CHECK ((ended IS NULL) = (ended_by IS NULL) AND (ended IS NULL) = (ended_why IS NULL))
) STRICT;

CREATE INDEX override_subject ON override (tier_set, subject);

CREATE TABLE rule (
    id       INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL UNIQUE,
    subject  TEXT    NOT NULL,
    key_type TEXT    NOT NULL CHECK (key_type IN ('integer', 'text'))
) STRICT;

-- What a retention rule remembers, in each of its modes; a subject without a row has nothing to remember.
CREATE TABLE rule_state (
    rule       INTEGER NOT NULL REFERENCES rule (id),
    shadow     INTEGER NOT NULL CHECK (shadow IN (0, 1)),
    subject    ANY     NOT NULL,
    entered    INTEGER,
    acted      INTEGER NOT NULL CHECK (acted IN (0, 1)),
    last_acted INTEGER,
    occurrence INTEGER,
    PRIMARY KEY (rule, shadow, subject)
) STRICT, WITHOUT ROWID;

-- `code` is the stable id that others know: a decision that is made again has the same one.
CREATE TABLE action (
    id         INTEGER PRIMARY KEY,
    code       TEXT    NOT NULL UNIQUE,
    rule       INTEGER NOT NULL REFERENCES rule (id),
    kind       TEXT    NOT NULL CHECK (kind IN ('acted', 'held_out', 'shadow')),
    subject    ANY     NOT NULL,
    run        INTEGER NOT NULL REFERENCES run (id),
    entered    INTEGER NOT NULL,
    occurrence INTEGER
) STRICT;

CREATE INDEX action_rule ON action (rule);

-- A task has the number of its action.
CREATE TABLE task (
    action        INTEGER PRIMARY KEY REFERENCES action (id),
    title         TEXT    NOT NULL,
    owner         TEXT,
    channel       TEXT,
    text          TEXT,
    due           INTEGER,
    escalate_on   INTEGER,
    escalate_to   TEXT,
    escalated     INTEGER,
    snoozed_until INTEGER,
    snoozed_by    TEXT,
    done          INTEGER,
    done_by       TEXT,
    done_note     TEXT,
    CHECK ((escalate_on IS NULL) = (escalate_to IS NULL)),
    CHECK ((done IS NULL) = (done_by IS NULL))
) STRICT;

CREATE INDEX task_open ON task (action) WHERE done IS NULL;
CREATE INDEX task_escalation ON task (escalate_on) WHERE done IS NULL AND escalated IS NULL AND escalate_on IS NOT NULL;

-- What other systems are to be told, but for changes of level, which are in `transition`. Both are numbered by one sequence.
CREATE TABLE outbox (
    id     INTEGER PRIMARY KEY,
    code   TEXT    NOT NULL UNIQUE,
    kind   TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    run    INTEGER REFERENCES run (id),
    action INTEGER NOT NULL REFERENCES action (id),
    data   TEXT    NOT NULL CHECK (json_valid(data))
) STRICT;

DROP VIEW current_levels;
CREATE VIEW current_levels AS
SELECT s.name AS tier_set, h.subject, l.name AS level, l.position,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS since,
       t.run, v.sha256 AS revision, h.transition, s.family, s.category, w.text AS reason
FROM held AS h
JOIN tier_set AS s ON s.id = h.tier_set
JOIN transition AS t ON t.id = h.transition
JOIN run AS r ON r.id = t.run
JOIN revision AS v ON v.id = r.revision
LEFT JOIN level AS l ON l.tier_set = h.tier_set AND l.id = h.level
LEFT JOIN reason AS w ON w.id = t.reason;

-- The range of ids says nothing that the run doesn't; it finds the transitions of a run without reading the others.
DROP VIEW level_changes;
CREATE VIEW level_changes AS
SELECT t.id AS transition, r.id AS run, strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of,
       s.name AS tier_set, t.subject, f.name AS from_level, l.name AS to_level, t.previous, t.metrics,
       s.family, s.category, w.text AS reason
FROM run AS r
JOIN transition AS t ON t.run = r.id AND t.id BETWEEN r.first_transition AND r.first_transition + r.transitions - 1
JOIN tier_set AS s ON s.id = t.tier_set
LEFT JOIN level AS f ON f.tier_set = t.tier_set AND f.id = t.from_level
LEFT JOIN level AS l ON l.tier_set = t.tier_set AND l.id = t.to_level
LEFT JOIN reason AS w ON w.id = t.reason;

DROP VIEW level_counts;
CREATE VIEW level_counts AS
SELECT c.run, strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of,
       s.name AS tier_set, l.name AS level, l.position, c.subjects, s.family, s.category
FROM run_level AS c
JOIN run AS r ON r.id = c.run
JOIN tier_set AS s ON s.id = c.tier_set
JOIN level AS l ON l.tier_set = c.tier_set AND l.id = c.level;

DROP VIEW run_log;
CREATE VIEW run_log AS
SELECT r.id AS run, r.outcome, r.message,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.started / 1000000, 'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.finished / 1000000, 'unixepoch') AS finished,
       v.sha256 AS revision, r.data_version, r.subjects, r.fact_rows, r.bad_values, r.unknown_subjects,
       r.transitions, r.read_ms, r.evaluate_ms, r.write_ms, r.cut_points, r.actions
FROM run AS r
JOIN revision AS v ON v.id = r.revision;

CREATE VIEW overrides AS
SELECT id AS override, tier_set, subject_kind, subject, kind, level, reason, approver,
       strftime('%Y-%m-%dT%H:%M:%SZ', starts / 1000000, 'unixepoch') AS starts,
       strftime('%Y-%m-%dT%H:%M:%SZ', expires / 1000000, 'unixepoch') AS expires,
       strftime('%Y-%m-%dT%H:%M:%SZ', created / 1000000, 'unixepoch') AS created,
       strftime('%Y-%m-%dT%H:%M:%SZ', ended / 1000000, 'unixepoch') AS ended, ended_by, ended_why
FROM override;

CREATE VIEW actions AS
SELECT a.code AS action, u.name AS rule, a.kind, u.subject AS subject_kind, a.subject, a.run,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of,
       strftime('%Y-%m-%dT%H:%M:%SZ', a.entered / 1000000, 'unixepoch') AS entered,
       date(a.occurrence * 86400, 'unixepoch') AS occurrence
FROM action AS a
JOIN rule AS u ON u.id = a.rule
JOIN run AS r ON r.id = a.run;

CREATE VIEW tasks AS
SELECT a.code AS task, u.name AS rule, u.subject AS subject_kind, a.subject, t.title, t.owner, t.channel, t.text,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS created,
       date(t.due * 86400, 'unixepoch') AS due,
       date(t.escalate_on * 86400, 'unixepoch') AS escalate_on, t.escalate_to,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.escalated / 1000000, 'unixepoch') AS escalated,
       date(t.snoozed_until * 86400, 'unixepoch') AS snoozed_until, t.snoozed_by,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.done / 1000000, 'unixepoch') AS done, t.done_by, t.done_note
FROM task AS t
JOIN action AS a ON a.id = t.action
JOIN rule AS u ON u.id = a.rule
JOIN run AS r ON r.id = a.run;

-- CROSS JOIN begins with the numbered rows, so that `WHERE cursor > …` reads only new ones. The CASTs give both halves the same
-- affinities: only then does SQLite merge them in order instead of sorting all that is left.
CREATE VIEW events AS
SELECT t.id AS cursor, CAST('level-' || t.id AS TEXT) AS event, CAST('level.changed' AS TEXT) AS kind,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of, t.run,
       s.subject AS subject_kind, t.subject, s.name AS tier_set, CAST(NULL AS TEXT) AS rule,
       CAST(json_object('from', f.name, 'to', l.name, 'reason', w.text, 'metrics', json(t.metrics)) AS TEXT) AS data
FROM transition AS t
CROSS JOIN run AS r ON r.id = t.run
CROSS JOIN tier_set AS s ON s.id = t.tier_set
LEFT JOIN level AS f ON f.tier_set = t.tier_set AND f.id = t.from_level
LEFT JOIN level AS l ON l.tier_set = t.tier_set AND l.id = t.to_level
LEFT JOIN reason AS w ON w.id = t.reason
UNION ALL
SELECT o.id, o.code, o.kind, strftime('%Y-%m-%dT%H:%M:%SZ', o.at / 1000000, 'unixepoch'), o.run,
       u.subject, a.subject, CAST(NULL AS TEXT), u.name, o.data
FROM outbox AS o
CROSS JOIN action AS a ON a.id = o.action
CROSS JOIN rule AS u ON u.id = a.rule;
