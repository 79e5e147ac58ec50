"""Traffic switches: Caddy, load balancer, DNS record, reserved IP."""
