-- As the Chinook sample database names things: singular tables, NUMERIC money, dates with midnight, a support employee.
CREATE TABLE Customer (CustomerId INTEGER NOT NULL PRIMARY KEY, FirstName NVARCHAR(40), LastName NVARCHAR(20), Company NVARCHAR(80), City NVARCHAR(40), Phone NVARCHAR(24), Email NVARCHAR(60), SupportRepId INTEGER REFERENCES Employee (EmployeeId));
CREATE TABLE Employee (EmployeeId INTEGER NOT NULL PRIMARY KEY, LastName NVARCHAR(20), HireDate DATETIME, Email NVARCHAR(60));
CREATE TABLE Invoice (InvoiceId INTEGER NOT NULL PRIMARY KEY, CustomerId INTEGER NOT NULL REFERENCES Customer (CustomerId), InvoiceDate DATETIME NOT NULL, BillingCity NVARCHAR(40), Total NUMERIC(10,2) NOT NULL);
CREATE TABLE InvoiceLine (InvoiceLineId INTEGER NOT NULL PRIMARY KEY, InvoiceId INTEGER REFERENCES Invoice (InvoiceId), TrackId INTEGER, UnitPrice NUMERIC(10,2), Quantity INTEGER);
INSERT INTO Employee VALUES (3, 'Rep', '2002-04-01 00:00:00', 'rep@example.no');
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 59)
INSERT INTO Customer SELECT i, 'F' || i, 'L' || i, NULL, 'Oslo', '+47 ' || i, i || '@example.no', 3 FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 412)
INSERT INTO Invoice SELECT i, i % 59 + 1, datetime('2024-01-01', i || ' days'), 'Oslo', round(i % 20 + 0.99, 2) FROM n;
INSERT INTO InvoiceLine VALUES (1, 1, 1, 0.99, 1);
