-- Subscribers of whom only the day of joining is known.
CREATE TABLE subscribers (email TEXT PRIMARY KEY, subscribed_at TEXT, source TEXT);
INSERT INTO subscribers VALUES ('a@example.com', '2024-03-05T10:00:00Z', 'web'), ('b@example.com', '2025-01-05T10:00:00Z', 'shop');
