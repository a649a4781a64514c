#!/bin/bash
# A role and a database for each service, as loyalty_local.databases makes them; safe to run again.
set -euo pipefail

for name in accounts customers programs vouchers webhooks; do
    variable=${name^^}_DATABASE_PASSWORD
    # The password goes by standard input: an argument could be seen in the list of processes.
    psql --quiet --no-psqlrc --dbname postgres --set ON_ERROR_STOP=1 --set name="$name" <<SQL
\\getenv password $variable
SELECT format('CREATE ROLE %I LOGIN', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \\gexec
ALTER ROLE :"name" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
