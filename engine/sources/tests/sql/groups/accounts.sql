-- tier set accounts of each account
-- as of 2026-03-31T08:00:00Z, time zone UTC, revision REVISION
-- Decimals are whole numbers of their smallest unit, timestamps microseconds since 1970 (UTC), dates text.
-- For SQLite 3.35 and later.
-- tier.value: earned level; the movement policy of the set is not in it.
WITH account AS MATERIALIZED (
  SELECT
    CASE typeof(id) WHEN 'integer' THEN id END AS key
  FROM main.accounts
),
customer AS MATERIALIZED (
  SELECT
    CASE typeof(id) WHEN 'integer' THEN id END AS key,
    CASE typeof(account_id) WHEN 'integer' THEN account_id END AS account_id,
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
    account.key AS key
  FROM account
),
customer_metrics AS MATERIALIZED (
  SELECT
    customer.key AS key,
    customer.account_id AS account,
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
  FROM customer_metrics
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
customer_metrics_2 AS MATERIALIZED (
  SELECT
    customer_metrics.*,
    CASE WHEN joined_on IS NOT NULL THEN coalesce(orders_by_customer.spend, 0) END AS spend
  FROM customer_metrics
  LEFT JOIN orders_by_customer ON orders_by_customer.customer = customer_metrics.key
),
customer_metrics_3 AS MATERIALIZED (
  SELECT
    *,
    CASE
      WHEN spend >= 100000
      THEN 'B'
      ELSE 'C'
    END AS "tier.value"
  FROM customer_metrics_2
),
customer_by_account AS MATERIALIZED (
  SELECT
    account,
    count(*) FILTER (
      WHERE "tier.value" IN ('B')
    ) AS good_members
  FROM customer_metrics_3
  GROUP BY account
),
metrics_2 AS MATERIALIZED (
  SELECT
    metrics.*,
    coalesce(customer_by_account.good_members, 0) AS good_members
  FROM metrics
  LEFT JOIN customer_by_account ON customer_by_account.account = metrics.key
)
SELECT
  key,
  CASE
    WHEN good_members > 10
    THEN 'large'
    ELSE 'small'
  END AS level,
  good_members
FROM metrics_2
ORDER BY key;
