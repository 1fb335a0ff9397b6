-- The application's own tables are cryptic; views give them names. One view is broken.
CREATE TABLE t_0017 (f1 INTEGER PRIMARY KEY, f2 TEXT, f3 TEXT);
CREATE TABLE t_0042 (g1 INTEGER PRIMARY KEY, g2 INTEGER, g3 INTEGER, g4 TEXT);
CREATE VIEW v_customers AS SELECT f1 AS customer_id, f2 AS name, f3 AS since FROM t_0017;
CREATE VIEW v_purchases AS SELECT g1 AS purchase_id, g2 AS customer_id, g3 / 100.0 AS amount, g4 AS purchase_date FROM t_0042;
CREATE VIEW v_old AS SELECT * FROM t_gone;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20)
INSERT INTO t_0017 SELECT i, 'Name ' || i, date('2024-01-01', i || ' days') FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 90)
INSERT INTO t_0042 SELECT i, i % 20 + 1, i * 111, date('2025-06-01', i || ' days') FROM n;
