-- Members with a balance of points, and no dated rows about them.
CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT, points INTEGER, total_spent REAL, joined TEXT);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30)
INSERT INTO members SELECT i, 'Member ' || i, i * 100, i * 12.5, date('2021-01-01', i || ' days') FROM n;
