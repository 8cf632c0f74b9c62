#!/bin/sh
# Run once before the services, as root: token keys into one volume a service, a volume for snapshots, then databases and migrations.
set -eu
python -c "from pathlib import Path; from chubei_shared.tokens import ensure_keys; ensure_keys(Path('/keys'))"
for service in allocation gateway; do
  cp /keys/*.pub "/keys/$service.key" "/keys-$service/"
  chown -R chubei "/keys-$service"
done
cp /keys/*.pub /keys-public/
chown -R chubei /keys-public
chown chubei /snapshots
chmod 700 /snapshots
exec chubei migrate
