-- first_channel of each customer
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
    CASE typeof(channel) WHEN 'text' THEN channel END AS channel
  FROM main."order"
),
first_channel_rows AS MATERIALIZED (
  SELECT
    customer AS key,
    channel AS first_channel,
    row_number() OVER (PARTITION BY customer ORDER BY ordered_at, channel) AS nth
  FROM orders
  WHERE substr(channel, 1, 4) <> 'test'
    AND ordered_at < 1774936800000000 /* 2026-03-31T06:00:00Z */
    AND channel IS NOT NULL
),
metrics AS MATERIALIZED (
  SELECT
    customer.key AS key,
    coalesce(first_channel_rows.first_channel, 'unknown') AS first_channel
  FROM customer
  LEFT JOIN first_channel_rows ON first_channel_rows.key = customer.key AND first_channel_rows.nth = 1
)
SELECT
  key,
  first_channel
FROM metrics
ORDER BY key;
