-- Nothing in it yet: only declarations and names to go by.
CREATE TABLE customer (id INTEGER PRIMARY KEY, name VARCHAR(80), vip BOOLEAN, registered DATETIME);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER, amount_cents INTEGER, price DECIMAL(8,2), cost REAL, note TEXT, purchased_at DATETIME, shipped_on DATE, synced_at INTEGER);
