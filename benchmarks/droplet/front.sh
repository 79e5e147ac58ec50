#!/bin/sh
# Writes which containers of the gateway are healthy where the Caddy in front of docker-rollout reads it, until `on` is
# gone: what Traefik and nginx-proxy do themselves, of which neither can be installed from the distribution's packages.
set -u
cd "$(dirname "$0")" || exit
touch on
before=none
while [ -e on ]; do
    healthy=$(docker ps -q --filter label=com.docker.compose.project=plain \
        --filter label=com.docker.compose.service=gateway-mcp --filter health=healthy)
    # shellcheck disable=SC2086  # one word for each container
    now=$([ -z "$healthy" ] || docker inspect --format \
        '{{range .NetworkSettings.Networks}}{{.IPAddress}}:8000 {{end}}' $healthy 2>/dev/null | sort | tr -d '\n')
    if [ "$now" != "$before" ]; then
        cat >new <<END
{
    admin 127.0.0.1:2019
    auto_https off
}
:8000 {
    reverse_proxy $now {
        flush_interval -1
        lb_try_duration 10s
        lb_try_interval 100ms
    }
}
END
        mv new Caddyfile
        before=$now
    fi
    sleep 0.3
done
