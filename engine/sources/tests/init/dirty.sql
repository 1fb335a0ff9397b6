-- Years of hand work: dates that are none, text in number columns, blobs, another date format, names with blanks and SQL words.
CREATE TABLE "Customer List" ("Customer No" INTEGER PRIMARY KEY, "Name" TEXT, "group" TEXT, photo BLOB, "Last Call" TEXT, rating);
CREATE TABLE "order" (nr INTEGER PRIMARY KEY, "Customer No" INTEGER, "order" TEXT, "Order Date" TEXT, "Delivery Date" TEXT, "Total Amount" REAL, "select" INTEGER, "2nd" TEXT);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO "Customer List" SELECT i, 'Name ' || i, 'g', x'00', printf('%d.%d.2025', i % 28 + 1, i % 12 + 1), CASE i % 2 WHEN 0 THEN i ELSE 'good' END FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100)
INSERT INTO "order" SELECT i, i % 44 + 1, 'web', CASE i % 25 WHEN 0 THEN 'n/a' ELSE date('2025-02-01', i || ' days') END, '', i * 2.5, i, 'x' FROM n;
