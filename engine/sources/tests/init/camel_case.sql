-- Camel case, money in REAL, price times quantity, Unix milliseconds, no foreign keys.
CREATE TABLE tblClient (clientId INTEGER PRIMARY KEY, firstName TEXT, lastName TEXT, emailAddress TEXT, birthDate TEXT, newsletterOptIn INTEGER, createdAt INTEGER);
CREATE TABLE tblSale (saleId INTEGER PRIMARY KEY, clientId INTEGER, unitPrice REAL, quantity INTEGER, weightKg REAL, soldAt INTEGER);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 25)
INSERT INTO tblClient SELECT i, 'F' || i, 'L' || i, 'c' || i || '@example.org', date('1970-01-01', i * 300 || ' days'), i % 2, 1700000000000 + i * 86400000 FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 150)
INSERT INTO tblSale SELECT i, i % 25 + 1, i + 0.99, i % 4 + 1, i / 7.0, 1735689600000 + i * 43200123 FROM n;
