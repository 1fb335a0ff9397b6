-- earned of each customer
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
    CASE WHEN typeof(ordered_at) = 'integer' AND ordered_at BETWEEN -62167132800 AND 253402214399 THEN ordered_at * 1000000 END AS ordered_at,
    CASE typeof(amount) WHEN 'integer' THEN amount END AS amount,
    CASE typeof(status) WHEN 'text' THEN status END AS status
  FROM main.orders
),
orders_by_customer AS MATERIALIZED (
  SELECT
    customer,
    sum(amount / 100) FILTER (
      WHERE status = 'paid'
        AND ordered_at >= 1772236800000000 /* 2026-02-28T00:00:00Z */
        AND ordered_at < 1774944000000000 /* 2026-03-31T08:00:00Z */
        AND amount / 100 > 0
    ) AS "earned 1",
    sum((SELECT (n + CASE WHEN n < 0 THEN -1 ELSE 1 END) / 2 FROM (SELECT amount * 10000 AS n)) / 1000000) FILTER (
      WHERE status = 'returned'
        AND ordered_at >= 1772236800000000 /* 2026-02-28T00:00:00Z */
        AND ordered_at < 1774944000000000 /* 2026-03-31T08:00:00Z */
        AND (SELECT (n + CASE WHEN n < 0 THEN -1 ELSE 1 END) / 2 FROM (SELECT amount * 10000 AS n)) / 1000000 > 0
    ) AS "earned 2"
  FROM orders
  GROUP BY customer
),
metrics AS MATERIALIZED (
  SELECT
    customer.key AS key,
    coalesce(orders_by_customer."earned 1", 0) - coalesce(orders_by_customer."earned 2", 0) AS earned
  FROM customer
  LEFT JOIN orders_by_customer ON orders_by_customer.customer = customer.key
)
SELECT
  key,
  earned
FROM metrics
ORDER BY key;
