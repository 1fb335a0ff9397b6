-- tier set value (客户价值等级) of each customer
-- as of 2026-03-31T06:00:00Z, time zone Europe/Paris, revision REVISION
-- Decimals are whole numbers of their smallest unit, timestamps microseconds since 1970 (UTC), dates text.
-- For SQLite 3.35 and later.
WITH all_customer AS MATERIALIZED (
  SELECT
    CASE typeof(id) WHEN 'integer' THEN id END AS key,
    CASE WHEN typeof(active) = 'integer' AND active IN (0, 1) THEN active END AS active,
    CASE typeof(city) WHEN 'text' THEN city END AS city,
    CASE WHEN typeof("date joined") = 'text' AND length("date joined") = 10 AND date("date joined", '+0 days') = "date joined" THEN "date joined" END AS joined_on
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
    ) AS annual_spend,
    sum(amount) FILTER (
      WHERE status = 'paid'
        AND ordered_at >= 1711839600000000 /* 2024-03-30T23:00:00Z */
        AND ordered_at < 1743372000000000 /* 2025-03-30T22:00:00Z */
    ) AS spend_before,
    count(*) FILTER (
      WHERE ordered_at >= 1743372000000000 /* 2025-03-30T22:00:00Z */
        AND ordered_at < 1774936800000000 /* 2026-03-31T06:00:00Z */
    ) AS monthly_orders,
    count(amount) FILTER (
      WHERE ordered_at < 1774936800000000 /* 2026-03-31T06:00:00Z */
    ) AS "count of average_order",
    sum(amount) FILTER (
      WHERE ordered_at < 1774936800000000 /* 2026-03-31T06:00:00Z */
    ) AS average_order
  FROM orders
  GROUP BY customer
),
metrics AS MATERIALIZED (
  SELECT
    customer.key AS key,
    coalesce(orders_by_customer.annual_spend, 0) AS annual_spend,
    coalesce(orders_by_customer.spend_before, 0) AS spend_before,
    coalesce((SELECT (n + CASE WHEN n < 0 THEN -6 ELSE 6 END) / 12
    FROM (SELECT orders_by_customer.monthly_orders * 1000000 AS n)), 0) AS monthly_orders,
    (SELECT (n + CASE WHEN (n < 0) = (d < 0) THEN d / 2 ELSE -d / 2 END) / d
    FROM (SELECT orders_by_customer.average_order * 10000 AS n, orders_by_customer."count of average_order" AS d)) AS average_order,
    customer.joined_on AS joined_on,
    customer.city AS city
  FROM customer
  LEFT JOIN orders_by_customer ON orders_by_customer.customer = customer.key
),
metrics_2 AS MATERIALIZED (
  SELECT
    *,
    (SELECT (n + CASE WHEN (n < 0) = (d < 0) THEN d / 2 ELSE -d / 2 END) / d
    FROM (SELECT annual_spend * 1000000 AS n, nullif(spend_before, 0) AS d)) AS growth,
    CASE WHEN annual_spend IS NOT NULL THEN ntile(5) OVER (PARTITION BY annual_spend IS NULL ORDER BY annual_spend, metrics.key) END AS spend_score
  FROM metrics
)
SELECT
  key,
  CASE
    WHEN annual_spend >= 1000000
        AND spend_score = 5
        AND (growth > 1200000 OR city IN ('Paris', 'Lyon'))
        AND coalesce(min(average_order, 100000000), average_order, 100000000) > 20000000
    THEN 'A'
    WHEN (annual_spend >= 1000000
        AND spend_score = 5
        AND (growth > 1200000 OR city IN ('Paris', 'Lyon'))
        AND coalesce(min(average_order, 100000000), average_order, 100000000) > 20000000) IS NULL
    THEN 'C'
    WHEN annual_spend >= 500000 OR monthly_orders >= 2000000 AND joined_on <= '2025-09-30'
    THEN 'B'
    ELSE 'C'
  END AS level,
  annual_spend, -- decimal(2)
  spend_score,
  growth, -- decimal(6)
  city,
  average_order, -- decimal(6)
  monthly_orders, -- decimal(6)
  joined_on -- date
FROM metrics_2
ORDER BY key;
