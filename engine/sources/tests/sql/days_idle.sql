-- days_idle of each customer
-- as of 2026-03-31T06:00:00Z, time zone Europe/Paris, revision REVISION
-- Decimals are whole numbers of their smallest unit, timestamps microseconds since 1970 (UTC), dates text.
-- For SQLite 3.35 and later.
WITH all_customer AS MATERIALIZED (
  SELECT
    CASE typeof(id) WHEN 'integer' THEN id END AS key,
    CASE WHEN typeof(active) = 'integer' AND active IN (0, 1) THEN active END AS active
  FROM main.customers
),
customer AS MATERIALIZED (
  SELECT *
  FROM all_customer
  WHERE active
),
orders AS MATERIALIZED (
  SELECT
    CASE typeof(customer_id) WHEN 'integer' THEN customer_id END AS customer,
    CASE WHEN typeof(ordered_at) = 'integer' AND ordered_at BETWEEN -62167132800 AND 253402214399 THEN ordered_at * 1000000 END AS ordered_at
  FROM main."order"
),
orders_by_customer AS MATERIALIZED (
  SELECT
    customer,
    max(ordered_at) FILTER (
      WHERE ordered_at >= 1759269600000000 /* 2025-09-30T22:00:00Z */
        AND ordered_at < 1767222000000000 /* 2025-12-31T23:00:00Z */
    ) AS days_idle
  FROM orders
  GROUP BY customer
),
metrics AS MATERIALIZED (
  SELECT
    customer.key AS key,
    CAST(julianday('2026-03-31') - julianday((SELECT date((local + 62167219200000000) / 86400000000 + 1721059.5)
    FROM (SELECT orders_by_customer.days_idle + CASE
        WHEN orders_by_customer.days_idle >= 1761440400000000 THEN 3600000000 /* 2025-10-26T01:00:00 */
        ELSE 7200000000 END AS local))) AS INTEGER) AS days_idle
  FROM customer
  LEFT JOIN orders_by_customer ON orders_by_customer.customer = customer.key
)
SELECT
  key,
  days_idle
FROM metrics
ORDER BY key;
