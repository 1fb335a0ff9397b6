-- annual_spend of each customer
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
    CASE WHEN typeof(ordered_at) = 'integer' AND ordered_at BETWEEN -62167132800 AND 253402214399 THEN ordered_at * 1000000 END AS ordered_at,
    CASE typeof(amount) WHEN 'integer' THEN amount END AS amount,
    CASE typeof(status) WHEN 'text' THEN status END AS status
  FROM main."order"
),
orders_by_customer AS MATERIALIZED (
  SELECT
    customer,
    sum(amount) FILTER (
      WHERE status = 'paid'
        AND ordered_at >= 1743372000000000 /* 2025-03-30T22:00:00Z */
        AND ordered_at < 1774936800000000 /* 2026-03-31T06:00:00Z */
    ) AS annual_spend
  FROM orders
  GROUP BY customer
),
metrics AS MATERIALIZED (
  SELECT
    customer.key AS key,
    coalesce(orders_by_customer.annual_spend, 0) AS annual_spend
  FROM customer
  LEFT JOIN orders_by_customer ON orders_by_customer.customer = customer.key
)
SELECT
  key,
  annual_spend -- decimal(2)
FROM metrics
ORDER BY key;
