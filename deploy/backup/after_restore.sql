-- In each restored database, before anybody uses it: what was given out after the backup was made is known elsewhere
-- (to integrators, and to the other services where only one database is restored), and must not be given out again.
-- psql --set ON_ERROR_STOP=1 --file after_restore.sql "$DATABASE_URL"
select setval(format('%I.%I', schemaname, sequencename)::regclass,
              least(coalesce(last_value, start_value) + 1000000, max_value))
from pg_sequences where schemaname = 'public';

-- Webhooks alone: who reads the event log after sequence N would else never see the next events up to N.
select 'update event_sequences set last_sequence = last_sequence + 1000000'
where to_regclass('public.event_sequences') is not null \gexec

-- A dump has no statistics, and without them nothing is found quickly.
analyze;
