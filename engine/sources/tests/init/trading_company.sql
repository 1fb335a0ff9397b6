-- As the Northwind sample database names things: text keys of customers, orders without amounts, lines in a table of their own.
CREATE TABLE Customers (CustomerID TEXT PRIMARY KEY, CompanyName TEXT, ContactName TEXT, Phone TEXT, Country TEXT);
CREATE TABLE Orders (OrderID INTEGER PRIMARY KEY, CustomerID TEXT, EmployeeID INTEGER, OrderDate DATETIME, RequiredDate DATETIME, ShippedDate DATETIME, Freight NUMERIC, ShipCity TEXT);
CREATE TABLE "Order Details" (OrderID INTEGER, ProductID INTEGER, UnitPrice NUMERIC, Quantity INTEGER, Discount REAL, PRIMARY KEY (OrderID, ProductID));
CREATE VIEW Sales AS SELECT o.OrderID, o.CustomerID, o.OrderDate, d.UnitPrice, d.Quantity FROM Orders o JOIN "Order Details" d USING (OrderID);
INSERT INTO Customers VALUES ('ALFKI', 'Alfreds', 'Maria', '030', 'Germany'), ('ANATR', 'Ana', 'Ana', '5', 'Mexico'), ('AROUT', 'Around', 'Thomas', '171', 'UK');
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60)
INSERT INTO Orders SELECT 10247 + i, CASE i % 3 WHEN 0 THEN 'ALFKI' WHEN 1 THEN 'ANATR' ELSE 'AROUT' END, 5, date('2025-01-01', i || ' days'), date('2025-02-01', i || ' days'), NULL, i * 1.5, 'Reims' FROM n;
INSERT INTO "Order Details" SELECT OrderID, 11, 14.8, 12, 0.0 FROM Orders;
