-- A bank: WITHOUT ROWID, uuid keys, Julian days, two tables of people.
CREATE TABLE account (account_uuid TEXT PRIMARY KEY, holder_name TEXT, opened REAL, balance NUMERIC(12,2)) WITHOUT ROWID;
CREATE TABLE movement (account_uuid TEXT NOT NULL REFERENCES account, seq INTEGER NOT NULL, booked_on REAL NOT NULL, value NUMERIC(12,2), kind TEXT, PRIMARY KEY (account_uuid, seq)) WITHOUT ROWID;
CREATE TABLE employee (employee_id INTEGER PRIMARY KEY, name TEXT, email TEXT);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 25)
INSERT INTO account SELECT printf('%08x-0000-4000-8000-000000000000', i * 7919), 'Holder ' || i, julianday('2020-01-01', i || ' days'), i * 1000.5 FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 200)
INSERT INTO movement SELECT printf('%08x-0000-4000-8000-000000000000', (i % 25 + 1) * 7919), i, julianday('2025-01-01', i || ' days'), i * 10 - 400.25,
    CASE i % 2 WHEN 0 THEN 'debit' ELSE 'credit' END FROM n;
INSERT INTO employee VALUES (1, 'Clerk', 'c@example.com');
