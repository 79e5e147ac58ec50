#!/bin/sh
# The proxy that docker-rollout asks for: an nginx on the droplet that serves the gateway's containers that Docker calls
# healthy, reloaded when these are others, until `on` is gone. nginx-proxy and Traefik do this by themselves; neither is
# among the distribution's packages.
set -u
cd "$(dirname "$0")" || exit
command -v nginx >/dev/null || {
    apt-get update -qq
    # Without a runlevel of services, its own service is not started.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light >/dev/null
} || exit
touch on
before=none
while [ -e on ]; do
    healthy=$(docker ps -q --filter label=com.docker.compose.project=plain \
        --filter label=com.docker.compose.service=gateway-mcp --filter health=healthy)
    # shellcheck disable=SC2086  # one word for each container
    now=$([ -z "$healthy" ] || docker inspect --format \
        '{{range .NetworkSettings.Networks}}server {{.IPAddress}}:8000; {{end}}' $healthy 2>/dev/null |
        grep -v 'server :' | sort | tr -d '\n')
    if [ "$now" != "$before" ]; then
        cat >nginx.conf <<END
pid $PWD/nginx.pid;
error_log $PWD/error.log;
events {}
http {
    access_log off;
    upstream gateway { ${now:-server 127.0.0.1:9;} }
    server {
        listen 8000;
        location / {
            proxy_pass http://gateway;
            proxy_http_version 1.1;
            proxy_buffering off;
        }
    }
}
END
        if [ -e nginx.pid ]; then nginx -c "$PWD/nginx.conf" -s reload; else nginx -c "$PWD/nginx.conf"; fi
        before=$now
    fi
    sleep 0.3
done
kill "$(cat nginx.pid)"
