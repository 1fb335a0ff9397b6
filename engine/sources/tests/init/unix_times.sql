-- An app: users with logins, payments in minor units, Unix seconds, and a staff table that is not graded.
CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, phone TEXT, created INTEGER, last_seen_at INTEGER, plan TEXT);
CREATE TABLE payments (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, amount_minor INTEGER, currency TEXT, state TEXT, paid_at INTEGER, refunded_at INTEGER);
CREATE TABLE logins (user_id INTEGER NOT NULL, ts INTEGER NOT NULL, device TEXT);
CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
CREATE INDEX logins_user ON logins (user_id);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 50)
INSERT INTO users SELECT i, 'user' || i, '+4915' || i, 1690000000 + i * 86400, CASE WHEN i % 5 THEN 1760000000 ELSE 0 END, 'free' FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO payments SELECT i, i % 50 + 1, i * 500, 'EUR', CASE i % 6 WHEN 0 THEN 'failed' ELSE 'succeeded' END, 1740000000 + i * 86400, CASE i % 20 WHEN 0 THEN 1750000000 END FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300)
INSERT INTO logins SELECT i % 50 + 1, 1750000000 + i * 3600, 'web' FROM n;
INSERT INTO staff VALUES (1, 'Clerk', 'clerk@example.com');
