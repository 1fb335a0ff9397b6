-- What a daemon remembers: why a run was made, runs that wait for a person, times that were missed, and what became of each change
-- of the files.

DROP VIEW current_levels;
DROP VIEW level_changes;
DROP VIEW level_counts;
DROP VIEW run_log;
DROP VIEW actions;

-- A run that exceeds a guard is `held`: it has changed nothing, and a row of `hold` says what it would have changed.
CREATE TABLE run_3 (
    id               INTEGER PRIMARY KEY,
    as_of            INTEGER NOT NULL,
    started          INTEGER NOT NULL,
    finished         INTEGER NOT NULL,
    revision         INTEGER NOT NULL REFERENCES revision (id),
    data_version     TEXT    NOT NULL,
    subjects         INTEGER NOT NULL,
    fact_rows        INTEGER NOT NULL,
    bad_values       INTEGER NOT NULL,
    unknown_subjects INTEGER NOT NULL,
    transitions      INTEGER NOT NULL,
    -- Its transitions have this id and the following ones; NULL if it has none.
    first_transition INTEGER,
    read_ms          INTEGER NOT NULL,
    evaluate_ms      INTEGER NOT NULL,
    write_ms         INTEGER NOT NULL,
    outcome          TEXT    NOT NULL CHECK (outcome IN ('applied', 'unchanged', 'held', 'failed')),
    message          TEXT    CHECK ((message IS NOT NULL) = (outcome IN ('held', 'failed'))),
    cut_points       TEXT    CHECK (cut_points IS NULL OR json_valid(cut_points)),
    actions          INTEGER NOT NULL DEFAULT 0,
    cause            TEXT    NOT NULL DEFAULT 'hand' CHECK (cause IN ('hand', 'schedule', 'change', 'fill', 'approval')),
    -- Names of the schedules that it decided, as a JSON array; NULL for everything.
    schedules        TEXT    CHECK (schedules IS NULL OR json_valid(schedules)),
    -- Rows of each table that it read, as a JSON object.
    table_rows       TEXT    CHECK (table_rows IS NULL OR json_valid(table_rows)),
    -- Metrics that are NULL because a plugin gave nothing, as a JSON array of objects; NULL for none.
    plugin_failures  TEXT    CHECK (plugin_failures IS NULL OR json_valid(plugin_failures))
) STRICT;
INSERT INTO run_3 (id, as_of, started, finished, revision, data_version, subjects, fact_rows, bad_values, unknown_subjects,
    transitions, first_transition, read_ms, evaluate_ms, write_ms, outcome, message, cut_points, actions)
SELECT id, as_of, started, finished, revision, data_version, subjects, fact_rows, bad_values, unknown_subjects,
    transitions, first_transition, read_ms, evaluate_ms, write_ms, outcome, message, cut_points, actions FROM run;
-- Other views read `run`, and must not mind that it isn't there for a moment.
PRAGMA legacy_alter_table = ON;
DROP TABLE run;
ALTER TABLE run_3 RENAME TO run;
PRAGMA legacy_alter_table = OFF;

-- What a held run would have changed, and what became of it. `shown` is what a person decides by, as JSON; `digest` is over
-- everything that would have been applied.
CREATE TABLE hold (
    run      INTEGER PRIMARY KEY REFERENCES run (id),
    shown    TEXT    NOT NULL CHECK (json_valid(shown)),
    digest   BLOB    NOT NULL,
    state    TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'approved', 'rejected', 'superseded')),
    at       INTEGER,
    by       TEXT,
    why      TEXT,
    -- The run that applied it, or that took its place.
    followed INTEGER REFERENCES run (id),
    CHECK ((state = 'waiting') = (at IS NULL))
) STRICT;

-- The schedules of the rules in force: up to which slot each has been taken care of, by a run or by a gap. `written` is its
-- recurrence and zone; with others, other slots count, from then on.
CREATE TABLE schedule (
    name    TEXT    PRIMARY KEY,
    written TEXT    NOT NULL,
    handled INTEGER NOT NULL
) STRICT;

-- Slots of a schedule, one after the other, for which there was no run.
CREATE TABLE gap (
    id       INTEGER PRIMARY KEY,
    schedule TEXT    NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL CHECK (last >= first),
    slots    INTEGER NOT NULL CHECK (slots > 0),
    reason   TEXT    NOT NULL,
    noted    INTEGER NOT NULL,
    -- The run that filled the last of them.
    filled   INTEGER REFERENCES run (id)
) STRICT;

-- What became of each change of the files that a daemon saw; the last row is how things are.
CREATE TABLE reload (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    cause    TEXT    NOT NULL,
    outcome  TEXT    NOT NULL CHECK (outcome IN ('activated', 'refused', 'rolled_back')),
    -- Hash over the files as they were on disk.
    files    TEXT    NOT NULL,
    -- The revision in force from then on.
    revision INTEGER REFERENCES revision (id),
    -- Why they were refused, as JSON: one object for each diagnostic.
    problems TEXT    CHECK (problems IS NULL OR json_valid(problems)),
    -- Who rolled back, and why, where they said so.
    by       TEXT,
    why      TEXT
) STRICT;

-- The `for` by which entries of a rule have been waiting; a changed one begins anew.
ALTER TABLE rule ADD COLUMN hold_for TEXT;

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

CREATE VIEW level_counts AS
SELECT c.run, strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of,
       s.name AS tier_set, l.name AS level, l.position, c.subjects, s.family, s.category
FROM run_level AS c
JOIN run AS r ON r.id = c.run
JOIN tier_set AS s ON s.id = c.tier_set
JOIN level AS l ON l.tier_set = c.tier_set AND l.id = c.level;

CREATE VIEW run_log AS
SELECT r.id AS run, r.outcome, r.message,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.started / 1000000, 'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.finished / 1000000, 'unixepoch') AS finished,
       v.sha256 AS revision, r.data_version, r.subjects, r.fact_rows, r.bad_values, r.unknown_subjects,
       r.transitions, r.read_ms, r.evaluate_ms, r.write_ms, r.cut_points, r.actions, r.cause, r.schedules, r.table_rows,
       r.plugin_failures
FROM run AS r
JOIN revision AS v ON v.id = r.revision;

CREATE VIEW actions AS
SELECT a.code AS action, u.name AS rule, a.kind, u.subject AS subject_kind, a.subject, a.run,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of,
       strftime('%Y-%m-%dT%H:%M:%SZ', a.entered / 1000000, 'unixepoch') AS entered,
       date(a.occurrence * 86400, 'unixepoch') AS occurrence
FROM action AS a
JOIN rule AS u ON u.id = a.rule
JOIN run AS r ON r.id = a.run;

CREATE VIEW holds AS
SELECT h.run, strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of, r.message, h.shown, h.state,
       strftime('%Y-%m-%dT%H:%M:%SZ', h.at / 1000000, 'unixepoch') AS at, h.by, h.why, h.followed
FROM hold AS h
JOIN run AS r ON r.id = h.run;

CREATE VIEW gaps AS
SELECT id AS gap, schedule, strftime('%Y-%m-%dT%H:%M:%SZ', first / 1000000, 'unixepoch') AS first,
       strftime('%Y-%m-%dT%H:%M:%SZ', last / 1000000, 'unixepoch') AS last, slots, reason,
       strftime('%Y-%m-%dT%H:%M:%SZ', noted / 1000000, 'unixepoch') AS noted, filled
FROM gap;

CREATE VIEW reloads AS
SELECT l.id AS reload, strftime('%Y-%m-%dT%H:%M:%SZ', l.at / 1000000, 'unixepoch') AS at, l.cause, l.outcome, l.files,
       v.sha256 AS revision, l.problems, l.by, l.why
FROM reload AS l
LEFT JOIN revision AS v ON v.id = l.revision;

-- What was in the files of plugins, by content, so that a revision can come back into force after its files are gone. In `content` a
-- plugin's file is the text `sha256:` and its hash.
CREATE TABLE plugin (
    sha256 TEXT NOT NULL PRIMARY KEY,
    bytes  BLOB NOT NULL
) STRICT;

-- Which plugins each run had, by file and content.
CREATE VIEW run_plugins AS
SELECT run.id AS run, file.path AS path, substr(content.text, 8, 64) AS sha256
FROM run
JOIN revision_file AS file ON file.revision = run.revision AND file.path LIKE '%.wasm'
JOIN content ON content.sha256 = file.sha256;
