-- Text keys, a database without any declared reference, dates as yyyymmdd, amounts as text.
CREATE TABLE MEMBER_MASTER (MEMBER_CODE TEXT PRIMARY KEY, MEMBER_NAME TEXT, JOIN_DATE INTEGER, REGION_CODE TEXT);
CREATE TABLE TRANS (TRANS_NO TEXT, MEMBER_CODE TEXT, TRANS_DATE TEXT, TOTAL_AMT TEXT, STORE_CODE TEXT);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30)
INSERT INTO MEMBER_MASTER SELECT printf('M%05d', i), 'Member ' || i, 20230100 + i % 28 + 1, 'R1' FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 180)
INSERT INTO TRANS SELECT printf('T%06d', i), printf('M%05d', i % 30 + 1), strftime('%Y%m%d', '2025-02-01', i || ' days'), printf('%d.%02d', i * 3, i % 100), 'S1' FROM n;
