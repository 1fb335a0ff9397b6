-- Times are microseconds since 1970-01-01T00:00:00Z; durations are milliseconds. Views show times as ISO 8601 in UTC.
-- Having no level is NULL, everywhere. docs/ledger.md explains the tables to people who read them by SQL.

CREATE TABLE revision (
    id         INTEGER PRIMARY KEY,
    sha256     TEXT    NOT NULL UNIQUE,
    first_seen INTEGER NOT NULL
) STRICT;

CREATE TABLE content (
    sha256 TEXT NOT NULL UNIQUE,
    text   TEXT NOT NULL
) STRICT;

CREATE TABLE revision_file (
    revision INTEGER NOT NULL REFERENCES revision (id),
    path     TEXT    NOT NULL,
    sha256   TEXT    NOT NULL REFERENCES content (sha256),
    PRIMARY KEY (revision, path)
) STRICT, WITHOUT ROWID;

-- Which revision was in force from when on; the last row names the one in force now.
CREATE TABLE activation (
    id       INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL REFERENCES revision (id),
    at       INTEGER NOT NULL
) STRICT;

CREATE TABLE run (
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
    outcome          TEXT    NOT NULL CHECK (outcome IN ('applied', 'unchanged', 'failed')),
    message          TEXT    CHECK ((message IS NOT NULL) = (outcome = 'failed')),
    cut_points       TEXT    CHECK (cut_points IS NULL OR json_valid(cut_points))
) STRICT;

CREATE TABLE tier_set (
    id       INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL UNIQUE,
    subject  TEXT    NOT NULL,
    key_type TEXT    NOT NULL CHECK (key_type IN ('integer', 'text')),
    -- The last run that decided this set: its run_set row has the digest that the next run compares with.
    last_run INTEGER REFERENCES run (id)
) STRICT;

CREATE TABLE level (
    tier_set INTEGER NOT NULL REFERENCES tier_set (id),
    id       INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    -- 0 is the lowest; NULL: the rules have this level no longer.
    position INTEGER,
    PRIMARY KEY (tier_set, id),
    UNIQUE (tier_set, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_set (
    run           INTEGER NOT NULL REFERENCES run (id),
    tier_set      INTEGER NOT NULL REFERENCES tier_set (id),
    digest        BLOB    NOT NULL,
    subjects      INTEGER NOT NULL,
    without_level INTEGER NOT NULL,
    absent        INTEGER NOT NULL,
    transitions   INTEGER NOT NULL,
    PRIMARY KEY (run, tier_set)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_level (
    run      INTEGER NOT NULL,
    tier_set INTEGER NOT NULL,
    level    INTEGER NOT NULL,
    subjects INTEGER NOT NULL,
    PRIMARY KEY (run, tier_set, level),
    FOREIGN KEY (run, tier_set) REFERENCES run_set (run, tier_set),
    FOREIGN KEY (tier_set, level) REFERENCES level (tier_set, id)
) STRICT, WITHOUT ROWID;

-- What each subject has now. A subject that never had a level has no row.
CREATE TABLE held (
    tier_set   INTEGER NOT NULL REFERENCES tier_set (id),
    subject    ANY     NOT NULL,
    level      INTEGER,
    transition INTEGER NOT NULL REFERENCES transition (id),
    PRIMARY KEY (tier_set, subject),
    FOREIGN KEY (tier_set, level) REFERENCES level (tier_set, id)
) STRICT, WITHOUT ROWID;

-- Only ever appended to. `previous` is the transition of the same subject before this one: a subject's history is a chain
-- from held.transition backwards, and a run's transitions are a range of ids, so that no index is needed.
CREATE TABLE transition (
    id         INTEGER PRIMARY KEY,
    run        INTEGER NOT NULL REFERENCES run (id),
    tier_set   INTEGER NOT NULL REFERENCES tier_set (id),
    subject    ANY     NOT NULL,
    from_level INTEGER,
    to_level   INTEGER,
    previous   INTEGER REFERENCES transition (id),
    metrics    TEXT    NOT NULL,
    FOREIGN KEY (tier_set, from_level) REFERENCES level (tier_set, id),
    FOREIGN KEY (tier_set, to_level) REFERENCES level (tier_set, id)
) STRICT;

CREATE VIEW current_levels AS
SELECT s.name AS tier_set, h.subject, l.name AS level, l.position,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS since,
       t.run, v.sha256 AS revision, h.transition
FROM held AS h
JOIN tier_set AS s ON s.id = h.tier_set
JOIN transition AS t ON t.id = h.transition
JOIN run AS r ON r.id = t.run
JOIN revision AS v ON v.id = r.revision
LEFT JOIN level AS l ON l.tier_set = h.tier_set AND l.id = h.level;

-- The range of ids says nothing that the run doesn't; it finds the transitions of a run without reading the others.
CREATE VIEW level_changes AS
SELECT t.id AS transition, r.id AS run, strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of,
       s.name AS tier_set, t.subject, f.name AS from_level, l.name AS to_level, t.previous, t.metrics
FROM run AS r
JOIN transition AS t ON t.run = r.id AND t.id BETWEEN r.first_transition AND r.first_transition + r.transitions - 1
JOIN tier_set AS s ON s.id = t.tier_set
LEFT JOIN level AS f ON f.tier_set = t.tier_set AND f.id = t.from_level
LEFT JOIN level AS l ON l.tier_set = t.tier_set AND l.id = t.to_level;

CREATE VIEW level_counts AS
SELECT c.run, strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of / 1000000, 'unixepoch') AS as_of,
       s.name AS tier_set, l.name AS level, l.position, c.subjects
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
       r.transitions, r.read_ms, r.evaluate_ms, r.write_ms, r.cut_points
FROM run AS r
JOIN revision AS v ON v.id = r.revision;
