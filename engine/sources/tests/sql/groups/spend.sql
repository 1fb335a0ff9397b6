-- spend of each customer
-- as of 2026-03-31T08:00:00Z, time zone UTC, revision REVISION
-- Decimals are whole numbers of their smallest unit, timestamps microseconds since 1970 (UTC), dates text.
-- For SQLite 3.35 and later.
WITH customer AS MATERIALIZED (
  SELECT
    CASE typeof(id) WHEN 'integer' THEN id END AS key,
    CASE WHEN typeof(joined_on) = 'text' AND length(joined_on) = 10 AND date(joined_on, '+0 days') = joined_on THEN joined_on END AS joined_on
  FROM main.customers
),
orders AS MATERIALIZED (
  SELECT
    CASE typeof(customer_id) WHEN 'integer' THEN customer_id END AS customer,
    CASE WHEN typeof(ordered_at) = 'integer' AND ordered_at BETWEEN -62167132800 AND 253402214399 THEN ordered_at * 1000000 END AS ordered_at,
    CASE typeof(amount) WHEN 'integer' THEN amount END AS amount
  FROM main.orders
),
metrics AS MATERIALIZED (
  SELECT
    customer.key AS key,
    customer.joined_on AS joined_on
  FROM customer
),
orders_windows AS MATERIALIZED (
  SELECT
    key AS whose,
    CAST(strftime('%s', (SELECT CASE WHEN years >= 0 THEN min(date(day, years || ' years'), date(day, 'start of month', years || ' years', '+1 month', '-1 day')) END
    FROM (SELECT day, years - (min(date(day, years || ' years'), date(day, 'start of month', years || ' years', '+1 month', '-1 day')) > '2026-03-31') - 1 AS years
          FROM (SELECT day, 2026 - CAST(substr(day, 1, 4) AS INTEGER) AS years FROM (SELECT joined_on AS day))))) AS INTEGER) * 1000000 AS from_joined_on,
    CAST(strftime('%s', (SELECT CASE WHEN years >= 0 THEN min(date(day, (years + 1) || ' years'), date(day, 'start of month', (years + 1) || ' years', '+1 month', '-1 day')) END
    FROM (SELECT day, years - (min(date(day, years || ' years'), date(day, 'start of month', years || ' years', '+1 month', '-1 day')) > '2026-03-31') - 1 AS years
          FROM (SELECT day, 2026 - CAST(substr(day, 1, 4) AS INTEGER) AS years FROM (SELECT joined_on AS day))))) AS INTEGER) * 1000000 AS until_joined_on
  FROM metrics
),
orders_by_customer AS MATERIALIZED (
  SELECT
    customer,
    sum(amount) FILTER (
      WHERE ordered_at >= from_joined_on AND ordered_at < until_joined_on
    ) AS spend
  FROM orders
  JOIN orders_windows ON orders_windows.whose = orders.customer
  GROUP BY customer
),
metrics_2 AS MATERIALIZED (
  SELECT
    metrics.*,
    CASE WHEN joined_on IS NOT NULL THEN coalesce(orders_by_customer.spend, 0) END AS spend
  FROM metrics
  LEFT JOIN orders_by_customer ON orders_by_customer.customer = metrics.key
)
SELECT
  key,
  spend -- decimal(2)
FROM metrics_2
ORDER BY key;
