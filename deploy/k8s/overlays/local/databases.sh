# A role and a database for each service, when the server is new.
set -eu
for secret in /databases/*; do
    psql --set ON_ERROR_STOP=1 --set name="$(cat "$secret/username")" --set password="$(cat "$secret/password")" <<'END'
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke all on database :"name" from public;
END
done
