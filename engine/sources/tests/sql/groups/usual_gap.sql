-- usual_gap of each customer
-- as of 2026-03-31T08:00:00Z, time zone UTC, revision REVISION
-- Decimals are whole numbers of their smallest unit, timestamps microseconds since 1970 (UTC), dates text.
-- For SQLite 3.35 and later.
WITH customer AS MATERIALIZED (
  SELECT
    CASE typeof(id) WHEN 'integer' THEN id END AS key
  FROM main.customers
),
orders AS MATERIALIZED (
  SELECT
    CASE typeof(customer_id) WHEN 'integer' THEN customer_id END AS customer,
    CASE WHEN typeof(ordered_at) = 'integer' AND ordered_at BETWEEN -62167132800 AND 253402214399 THEN ordered_at * 1000000 END AS ordered_at
  FROM main.orders
),
usual_gap_days AS MATERIALIZED (
  SELECT
    customer AS key,
    date((ordered_at + 62167219200000000) / 86400000000 + 1721059.5) AS day
  FROM orders
  WHERE ordered_at < 1774944000000000 /* 2026-03-31T08:00:00Z */ AND ordered_at IS NOT NULL
  GROUP BY 1, 2
),
usual_gap_gaps AS MATERIALIZED (
  SELECT
    key,
    CAST(julianday(day) - julianday(lag(day) OVER (PARTITION BY key ORDER BY day)) AS INTEGER) AS days
  FROM usual_gap_days
),
usual_gap_ordered AS MATERIALIZED (
  SELECT
    key,
    days,
    row_number() OVER (PARTITION BY key ORDER BY days) AS nth,
    count(*) OVER (PARTITION BY key) AS gaps
  FROM usual_gap_gaps
  WHERE days IS NOT NULL
),
usual_gap_median AS MATERIALIZED (
  SELECT
    key,
    sum(days) * 1000000 / count(*) AS usual_gap
  FROM usual_gap_ordered
  WHERE nth IN ((gaps + 1) / 2, gaps / 2 + 1)
  GROUP BY key
),
metrics AS MATERIALIZED (
  SELECT
    customer.key AS key,
    usual_gap_median.usual_gap AS usual_gap
  FROM customer
  LEFT JOIN usual_gap_median ON usual_gap_median.key = customer.key
)
SELECT
  key,
  usual_gap -- decimal(6)
FROM metrics
ORDER BY key;
