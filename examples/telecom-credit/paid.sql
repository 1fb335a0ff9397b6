-- What the example database of the pack `telecom-big` lacks for a credit score: a second year of bills, and when each was due and paid, as things
-- were on 2026-06-30. All of it by arithmetic on customers' numbers, so that everybody who runs this has the same.

begin;
alter table bills add column due_on text;
alter table bills add column paid_on text;        -- NULL while the bill isn't paid

-- The database has bills since June 2025. Those of the year before are the same, for who was a customer by then.
insert into bills (customer_id, billed_on, amount)
select customer_id, date(billed_on, '-12 months'), amount
from bills join customers on customers.id = customer_id
where billed_on < '2026-06-01' and joined_on <= date(billed_on, '-12 months')
order by bills.rowid;

update bills set due_on = date(billed_on, '+15 days');

-- Of 20 customers, 12 are late with one bill in two years, 4 with every sixth, 2 with every third, 1 with every second, and 1 always.
-- Who is in time pays up to eight days early; who is late pays 3 to 62 days after the due day.
update bills set paid_on =
    case when (strftime('%Y', billed_on) * 12 + strftime('%m', billed_on) + customer_id / 20)
            % case when customer_id % 20 < 12 then 24 when customer_id % 20 < 16 then 6 when customer_id % 20 < 18 then 3
                   when customer_id % 20 = 18 then 2 else 1 end = 0
         then date(due_on, '+' || (3 + customer_id % 60) || ' days')
         else date(due_on, '-' || (customer_id % 9) || ' days') end;

update bills set paid_on = null where paid_on > '2026-06-30';
commit;
