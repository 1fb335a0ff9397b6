-- local_visits of each customer
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
all_visits AS MATERIALIZED (
  SELECT
    CASE typeof(customer) WHEN 'integer' THEN customer END AS customer,
    (SELECT local - CASE WHEN zoned THEN moved ELSE CASE
        WHEN local >= 1774753200000000 THEN 7200000000 /* 2026-03-29T03:00:00 */
        ELSE 3600000000 END END
    FROM (SELECT zone <> '' AS zoned,
            CAST(substr(zone, 1, 1) || '60000000' AS INTEGER)
              * (substr(zone, 2, 2) * 60 + CAST(substr(replace(zone, ':', ''), 4) AS INTEGER)) AS moved,
            (strftime('%s', substr(t, 1, 16)) + CAST(substr(seconds, 2, 2) AS INTEGER)) * 1000000
              + CAST(substr(substr(seconds, 5) || '000000', 1, 6) AS INTEGER) AS local
          FROM (SELECT t, substr(tail, 1, length(tail) - n) AS seconds, substr(tail, length(tail) - n + 1) AS zone
                FROM (SELECT t, substr(t, 17) AS tail,
                        CASE WHEN substr(t, 17) GLOB '*[Zz]' THEN 1
                             WHEN substr(t, 17) GLOB '*[-+][0-9][0-9]:[0-9][0-9]' THEN 6
                             WHEN substr(t, 17) GLOB '*[-+][0-9][0-9][0-9][0-9]' THEN 5
                             WHEN substr(t, 17) GLOB '*[-+][0-9][0-9]' THEN 3 ELSE 0 END AS n
                      FROM (SELECT happened_at AS t)))
          WHERE typeof(t) = 'text' AND instr(t, char(0)) = 0 AND date(substr(t, 1, 10), '+0 days') = substr(t, 1, 10)
            AND (length(t) = 10 OR substr(t, 11, 6) GLOB '[ T][0-2][0-9]:[0-5][0-9]' AND substr(t, 12, 2) < '24')
            AND (seconds = '' OR seconds GLOB ':[0-5][0-9]'
                 OR seconds GLOB ':[0-5][0-9].[0-9]*' AND substr(seconds, 5) NOT GLOB '*[^0-9]*')
            AND substr(zone, 2, 2) < '24' AND substr(replace(zone, ':', ''), 4) < '60')) AS happened_at,
    CASE typeof(kind) WHEN 'text' THEN kind END AS kind
  FROM main.visits
),
visits AS MATERIALIZED (
  SELECT *
  FROM all_visits
  WHERE kind <> 'test'
),
visits_by_customer AS MATERIALIZED (
  SELECT
    customer,
    count(*) FILTER (
      WHERE happened_at >= 1772319600000000 /* 2026-02-28T23:00:00Z */
        AND happened_at < 1774936800000000 /* 2026-03-31T06:00:00Z */
    ) AS local_visits
  FROM visits
  GROUP BY customer
),
metrics AS MATERIALIZED (
  SELECT
    customer.key AS key,
    coalesce(visits_by_customer.local_visits, 0) AS local_visits
  FROM customer
  LEFT JOIN visits_by_customer ON visits_by_customer.customer = customer.key
)
SELECT
  key,
  local_visits
FROM metrics
ORDER BY key;
