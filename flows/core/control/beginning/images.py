"""Images that are known by their names: the port they listen on, the path of their health, whether they keep state."""

import re
from dataclasses import dataclass

# `${IMAGE:-postgres}` is read as what it is where nobody sets it.
_DEFAULT = re.compile(r"\$\{\w+:?-([^${}]*)\}")
_TAG = re.compile(r"(?:@.*|:[^/]*)$")


@dataclass(frozen=True)
class KnownImage:
    """What an image is known to be.

    Args:
        port: where it listens by itself; it speaks HTTP there if `health` is said, or if it is for people.
        health: GET path that answers 2xx without a login; '' if there is none.
        keeps: it keeps state that a release must not lose.
        web: people look at it with a browser, or it serves what they look at.
    """

    port: int
    health: str = ""
    keeps: bool = False
    web: bool = False


_STORES = {
    5432: "postgres postgresql postgis pgvector timescaledb timescaledb-ha",
    3306: "mysql mysql-server mariadb percona",
    1433: "server mssql-server",
    6379: "redis redis-stack redis-stack-server valkey keydb dragonfly",
    27017: "mongo mongodb mongodb-community-server",
    9042: "cassandra scylla",
    5672: "rabbitmq",
    9092: "kafka cp-kafka redpanda",
    2181: "zookeeper cp-zookeeper",
    9200: "elasticsearch opensearch",
    8983: "solr",
    7687: "neo4j",
}
_STORES_WITH_HEALTH = {
    "minio": (9000, "/minio/health/live"), "qdrant": (6333, "/healthz"), "weaviate": (8080, "/v1/.well-known/ready"),
    "meilisearch": (7700, "/health"), "typesense": (8108, "/health"), "clickhouse-server": (8123, "/ping"),
    "influxdb": (8086, "/health"), "couchdb": (5984, "/_up"), "prometheus": (9090, "/-/healthy"),
    "loki": (3100, "/ready"), "victoria-metrics": (8428, "/health"), "ollama": (11434, "/"),
    "registry": (5000, "/v2/"), "etcd": (2379, "/health"), "chroma": (8000, "/api/v2/heartbeat"),
}  # fmt: skip
_SITES_WITH_STATE = {
    "grafana": (3000, "/api/health"), "n8n": (5678, "/healthz"), "gitea": (3000, "/api/healthz"),
    "open-webui": (8080, "/health"), "nextcloud": (80, "/status.php"), "wordpress": (80, ""), "ghost": (2368, ""),
}  # fmt: skip
_OTHERS = {
    "langfuse": KnownImage(3000, "/api/public/health", web=True),
    "litellm": KnownImage(4000, "/health/liveliness"),
    "vllm-openai": KnownImage(8000, "/health"),
    "text-generation-inference": KnownImage(80, "/health"),
    "text-embeddings-inference": KnownImage(80, "/health"),
    "alertmanager": KnownImage(9093, "/-/healthy"),
    "node-exporter": KnownImage(9100, "/metrics"),
    "cadvisor": KnownImage(8080, "/healthz"),
    "mailpit": KnownImage(8025, "/livez"),
    "graphql-engine": KnownImage(8080, "/healthz"),
    "metabase": KnownImage(3000, "/api/health", web=True),
    "whoami": KnownImage(80, "/health", web=True),
    "nginx": KnownImage(80, web=True),
    "caddy": KnownImage(80, web=True),
    "httpd": KnownImage(80, web=True),
    "memcached": KnownImage(11211),
}
_KNOWN = (
    {name: KnownImage(port, keeps=True) for port, names in _STORES.items() for name in names.split()}
    | {name: KnownImage(port, health, keeps=True) for name, (port, health) in _STORES_WITH_HEALTH.items()}
    | {name: KnownImage(port, health, keeps=True, web=True) for name, (port, health) in _SITES_WITH_STATE.items()}
    | _OTHERS
)
_ONLY_FROM = {"server": "mssql"}


def by_default(value: str) -> str:
    """The text with each variable that has a default replaced by it."""
    return _DEFAULT.sub(r"\1", value)


def known_image(reference: str) -> KnownImage | None:
    """What an image is known to be by the last word of its name; None for one that is not known."""
    repository = _TAG.sub("", by_default(reference))
    name = repository.rpartition("/")[2].lower()
    return _KNOWN.get(name) if _ONLY_FROM.get(name, "") in repository else None
