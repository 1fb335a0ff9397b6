-- A shop as a web framework makes it: plural tables, foreign keys, cents.
CREATE TABLE customers (
    id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, email VARCHAR(200) UNIQUE, city TEXT, is_active BOOLEAN NOT NULL DEFAULT 1,
    joined_on DATE NOT NULL, credit_limit_cents INTEGER
);
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, price_cents INTEGER);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), amount_cents INTEGER NOT NULL,
    tax_cents INTEGER NOT NULL, status TEXT NOT NULL, ordered_at TEXT NOT NULL, updated_at TEXT
);
CREATE TABLE order_items (order_id INTEGER REFERENCES orders (id), product_id INTEGER REFERENCES products (id), quantity INTEGER);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO customers SELECT i, 'Person ' || i, 'p' || i || '@example.com', 'Town', i % 7 > 0, date('2023-01-01', i || ' days'), 100000 FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400)
INSERT INTO orders SELECT i, i % 40 + 1, i * 137 % 90000, i, CASE i % 9 WHEN 0 THEN 'refunded' WHEN 1 THEN 'cancelled' ELSE 'paid' END,
    datetime('2025-01-01', i || ' days'), datetime('2025-01-02', i || ' days') FROM n;
INSERT INTO products VALUES (1, 'Tea', 1200);
INSERT INTO order_items SELECT id, 1, 2 FROM orders;
