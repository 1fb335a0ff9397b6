-- account_region of each customer
-- as of 2026-03-31T08:00:00Z, time zone UTC, revision REVISION
-- Decimals are whole numbers of their smallest unit, timestamps microseconds since 1970 (UTC), dates text.
-- For SQLite 3.35 and later.
WITH customer AS MATERIALIZED (
  SELECT
    CASE typeof(id) WHEN 'integer' THEN id END AS key,
    CASE typeof(account_id) WHEN 'integer' THEN account_id END AS account_id
  FROM main.customers
),
account AS MATERIALIZED (
  SELECT
    CASE typeof(id) WHEN 'integer' THEN id END AS key,
    CASE typeof(region) WHEN 'text' THEN region END AS region
  FROM main.accounts
),
metrics AS MATERIALIZED (
  SELECT
    customer.key AS key,
    customer.account_id AS account
  FROM customer
),
account_metrics AS MATERIALIZED (
  SELECT
    account.key AS key,
    account.region AS region
  FROM account
),
metrics_2 AS MATERIALIZED (
  SELECT
    metrics.*,
    account_metrics.region AS account_region
  FROM metrics
  LEFT JOIN account_metrics ON account_metrics.key = metrics.account
)
SELECT
  key,
  account_region
FROM metrics_2
ORDER BY key;
