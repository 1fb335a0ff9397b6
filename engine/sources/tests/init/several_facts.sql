-- A hotel: several tables about guests, one with a row per guest, one without dates, two columns that name guests.
CREATE TABLE guests (guest_id INTEGER PRIMARY KEY, name TEXT, mobile TEXT, country TEXT);
CREATE TABLE guest_profiles (guest_id INTEGER PRIMARY KEY REFERENCES guests (guest_id), language TEXT, updated_at TEXT);
CREATE TABLE guest_tags (guest_id INTEGER REFERENCES guests (guest_id), tag TEXT);
CREATE TABLE bookings (id INTEGER PRIMARY KEY, guest_id INTEGER REFERENCES guests (guest_id), referring_guest_id INTEGER, total REAL, status TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, check_in DATE, check_out DATE);
CREATE TABLE complaints (id INTEGER PRIMARY KEY, guest_id INTEGER REFERENCES guests (guest_id), message TEXT, severity INTEGER, reported_at TEXT);
CREATE TABLE visits (guest_id INTEGER REFERENCES guests (guest_id), visited_on TEXT, pages INTEGER);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30)
INSERT INTO guests SELECT i, 'Guest ' || i, '0170' || i, 'DE' FROM n;
INSERT INTO guest_profiles SELECT guest_id, 'de', '2025-01-01' FROM guests;
INSERT INTO guest_tags SELECT guest_id, 'tag' FROM guests;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 140)
INSERT INTO bookings SELECT i, i % 30 + 1, CASE i % 5 WHEN 0 THEN i % 29 + 1 END, i * 99.9, 'confirmed', datetime('2025-04-01 12:00:00', i || ' hours'), date('2025-05-01', i || ' days'), date('2025-05-03', i || ' days') FROM n;
INSERT INTO complaints SELECT id, guest_id, 'too loud', 2, '2025-06-01T10:00:00+02:00' FROM bookings WHERE id % 10 = 0;
INSERT INTO visits SELECT guest_id, '2025-06-0' || (id % 9 + 1), 3 FROM bookings;
