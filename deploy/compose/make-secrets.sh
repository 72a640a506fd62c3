#!/bin/sh
# Makes the passwords and keys that compose.yaml hands to its containers. What is already there stays as it is.
set -eu

cd "$(dirname "$0")"
umask 077
mkdir -p secrets

random() {
    od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'
}

# Containers read these files as users of their own; the directory keeps everybody else on this machine out.
keep() {
    [ -s "secrets/$1" ] || printf '%s' "${2:?there is nothing to put into secrets/$1}" > "secrets/$1"
    chmod 0644 "secrets/$1"
}

keep postgres_password "$(random 24)"
keep nats_password "$(random 24)"
keep secret_key "$(random 32)"
keep admin_password "$(random 12)"

nats_password=$(cat secrets/nats_password)
postgres_password=$(cat secrets/postgres_password)
keep nats_users.conf "authorization { user: flowloom, password: \"$nats_password\" }"
keep nats_url "nats://flowloom:$nats_password@nats:4222"
keep database_url "postgresql://flowloom:$postgres_password@postgres:5432/flowloom"

echo "secrets/ is complete. Sign in as admin@example.com; the password is in secrets/admin_password."
