"""What two colours cannot both have on one droplet is refused, with its line and the choices."""

from functools import partial

import pytest
import yaml

from flows.core.errors import NotSideBySide
from flows.core.stack.compose_files import locate
from flows.core.stack.side_by_side.ports import loopback_ports
from flows.core.stack.side_by_side.refusals import refuse_shared

pytestmark = pytest.mark.unit

EXPOSED = "x-slipway: {expose: {host: a.example.com, port: 8000}}"
AT_HOME = "x-slipway: {data: home}"
PORT = "{target: 8000, published: '8000', protocol: tcp}"


def refused(web: str = "", db: str = "", top: str = "", others: str = "", host_paths: tuple[str, ...] = ()) -> str:
    """What is said of a service with this field in line 5, and one at home with that in line 9."""
    text = (
        f"name: shop\nservices:\n  web:\n    image: x\n    {web}\n  db:\n    image: x\n    {AT_HOME}\n    {db}\n"
        f"{others}\n{top}\n"
    )
    config = yaml.safe_load(text)
    try:
        refuse_shared(config, partial(locate, {"compose.yaml": text}), host_paths)
    except NotSideBySide as error:
        return str(error)
    return ""


def ports(*entries: str) -> str:
    return f"ports: [{', '.join(entries)}]"


def mount(source: str, kind: str = "volume", more: str = "") -> str:
    return f"volumes: [{{type: {kind}, source: {source}, target: /t{more}}}]"


FOUND = {
    "a port of the droplet": (
        (ports(PORT),),
        "compose.yaml:5 publishes port 8000 of the droplet for web: both colours would take it. Choose: let the edge "
        "serve it (x-slipway.expose), let it run at home, once for both (x-slipway.data: home), or leave the "
        "droplet's port away (`8000`), so that each colour gets one of its own",
    ),
    "a range of ports": ((ports("{target: 80, published: 8000-8010}"),), "compose.yaml:5 publishes port 8000-8010 of"),
    "a port on the loopback": (
        (ports("{target: 80, published: '81', host_ip: 127.0.0.1}"),),
        "compose.yaml:5 publishes port 81 of the droplet for web",
    ),
    "a port of UDP": (
        (ports("{target: 53, published: '53', protocol: udp}"),),
        "both colours would take it. Choose: let it run at home, once for both (x-slipway.data: home), or leave the "
        "droplet's port away (`53/udp`)",
    ),
    "a second port of what is exposed": (
        (f"{EXPOSED}\n    {ports(PORT, '{target: 9090, published: 9}')}",),
        "compose.yaml:6 publishes port 9 of the droplet for web, beside port 8000, which the edge serves: both colours "
        "would take it. Choose: let it run at home",
    ),
    "its own port by UDP": (
        (f"{EXPOSED}\n    {ports('{target: 8000, published: 8000, protocol: udp}')}",),
        "compose.yaml:6 publishes port 8000 of the droplet for web, beside port 8000",
    ),
    "the droplet's network": (("network_mode: host",), "compose.yaml:5 gives web the network of the droplet"),
    "a container's network": (
        ("network_mode: container:vpn",),
        "compose.yaml:5 ties web to one container (`network_mode: container:vpn`)",
    ),
    "a container's processes": (("pid: container:a",), "compose.yaml:5 ties web to one container (`pid: container:a`)"),
    "a container's volumes": (("volumes_from: ['container:a']",), "ties web to one container (`volumes_from: "),
    "the network of home": (
        ("network_mode: service:db",),
        "compose.yaml:5 ties web to db (`network_mode: service:db`): one runs at home, the other in the colours",
    ),
    "the volumes of home": (("volumes_from: [db]",), "compose.yaml:5 ties web to db (`volumes_from: db`)"),
    "the volumes of a colour": (("", "volumes_from: ['web:ro']"), "compose.yaml:9 ties db to web (`volumes_from: web"),
    "memory of home": (("ipc: service:db",), "compose.yaml:5 ties web to db (`ipc: service:db`)"),
    "processes of home": (("pid: service:db",), "compose.yaml:5 ties web to db (`pid: service:db`)"),
    "a link from home": (("", "links: ['web:site']"), "compose.yaml:9 ties db to web (`links: web:site`)"),
    "a link by another's name": (
        ("links: ['db:web']",),
        "compose.yaml:5 has web call db by the name web, which means web to others. Call it by another name",
    ),
    "a network made elsewhere": (
        ("networks: {n: {}}", "", "networks: {n: {external: true, name: n}}"),
        "compose.yaml:5 puts web on network n, which is made elsewhere (`external: true`)",
    ),
    "a network of the droplet's own": (
        ("networks: {n: {}}", "", "networks: {n: {driver: macvlan}}"),
        "compose.yaml:5 puts web on network n of the driver macvlan",
    ),
    "addresses of a network": (
        ("networks: {n: {}}", "", "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: 'fd00::/64'}]}}}"),
        "compose.yaml:5 puts web on network n with the addresses 10.1.0.0/24, fd00::/64, which both colours would have",
    ),
    "an address": (
        ("networks: {n: {ipv4_address: 10.1.0.5}}", "", "networks: {n: {}}"),
        "compose.yaml:5 gives web the address 10.1.0.5 on n, which both colours would have. Take it away",
    ),
    "an address of IPv6": (("networks: {n: {ipv6_address: 'fd00::5'}}",), "gives web the address fd00::5 on n"),
    "a hardware address": (("mac_address: 02:42:ac:11:65:43",), "compose.yaml:5 gives web the address 02:42:ac:11:65"),
    "a volume made elsewhere": (
        (mount("v"), "", "volumes: {v: {external: true, name: v}}"),
        "compose.yaml:5 lets web write to volume v, which is made elsewhere (`external: true`)",
    ),
    "a volume of home": (
        (mount("v", more=", read_only: true"), mount("v"), "volumes: {v: {}}"),
        "compose.yaml:5 mounts volume v into web, which a service at home mounts too",
    ),
    "a volume that Compose would pass over": (
        (mount("x-v"), "", "volumes: {x-v: {}}"),
        "compose.yaml:5 mounts volume x-v into web: Compose takes a name with `x-` for an extension",
    ),
    "what is exposed twice": (
        (EXPOSED, "", "", f"  api:\n    image: x\n    {EXPOSED}"),
        "compose.yaml:5 exposes web as a.example.com/, as api is. Give one of them another host or path",
    ),
    "what is exposed at home": (
        ("", "", "", f"  api:\n    image: x\n    {EXPOSED.replace('{expose', '{data: home, expose')}"),
        "compose.yaml:12 exposes api, which runs at home: the edge turns from one colour to the other",
    ),
    "what is exposed on another's network": (
        (f"{EXPOSED}\n    network_mode: service:api", "", "", "  api: {image: x}"),
        "compose.yaml:6 exposes web, which has no port of its own (`network_mode: service:api`)",
    ),
    "what is exposed without a network": (
        (f"{EXPOSED}\n    network_mode: none",),
        "compose.yaml:6 exposes web, which has no port of its own (`network_mode: none`)",
    ),
    "what is exposed on internal networks": (
        (f"{EXPOSED}\n    networks: {{n: {{}}}}", "", "networks: {n: {internal: true}}"),
        "compose.yaml:6 exposes web, which is on internal networks alone (n): the engine publishes no port there",
    ),
    "more replicas than the edge reaches": (
        (f"{EXPOSED}\n    deploy: {{replicas: 11}}",),
        "compose.yaml:6 runs web 11 times: the edge reaches 10 of a service at most",
    ),
    "more by scale": ((f"{EXPOSED}\n    scale: 12",), "compose.yaml:6 runs web 12 times"),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "words"), FOUND.values(), ids=FOUND)
def test_what_both_colours_would_have_is_refused_with_its_line(parts, words):
    said = refused(*parts)
    assert words in said
    assert said.startswith("two colours of stack shop cannot run on one droplet: compose.yaml:")
    assert "; " not in said


FINE = {
    "nothing exposed": (),
    "what is exposed, published twice": (f"{EXPOSED}\n    {ports(PORT, '{target: 8000, published: 80}')}",),
    "a port that the engine chooses": (ports("{target: 80}", "{target: 81, published: '0'}"),),
    "ten replicas": (f"{EXPOSED}\n    deploy: {{replicas: 10}}",),
    "more of what is not exposed": ("deploy: {replicas: 30}",),
    "extra hosts": ("extra_hosts: ['a:10.0.0.1']",),
    "a bridge": ("network_mode: bridge",),
    "another of the colours": ("network_mode: service:api", "", "", "  api: {image: x}"),
    "the droplet's processes": ("pid: host\n    ipc: host",),
    "links to home": ("links: [db, 'db:database', 'db:pg']",),
    "an image of home": ("build: {context: /s, additional_contexts: {b: 'service:db'}}",),
    "a volume made elsewhere, read": (mount("v", more=", read_only: true"), "", "volumes: {v: {external: true}}"),
    "half internal": (f"{EXPOSED}\n    networks: {{n: {{}}, m: {{}}}}", "", "networks: {n: {internal: true}, m: {}}"),
    "a network of a driver's pool": ("networks: {n: {}}", "", "networks: {n: {ipam: {driver: default}}}"),
    "all of that at home": (
        "",
        f"{ports(PORT)}\n    networks: {{n: {{ipv4_address: 10.1.0.5}}, e: {{}}}}\n    mac_address: '02:42'\n    "
        + mount("v"),
        "networks: {n: {driver: macvlan, ipam: {config: [{subnet: 10.1.0.0/24}]}}, e: {external: true}}\n"
        "volumes: {v: {external: true}}",
    ),
    "a home on the droplet's network": ("", "network_mode: host"),
}  # fmt: skip


@pytest.mark.parametrize("parts", FINE.values(), ids=FINE)
def test_what_two_projects_can_have_is_not_refused(parts):
    assert refused(*parts) == ""


@pytest.mark.parametrize(("data", "words"), [("per-colour", "Use a named volume"), ("disposable", "")])
@pytest.mark.parametrize(
    ("volumes", "top"),
    [
        (mount("/srv/data", "bind"), ""),
        (mount("v"), "volumes: {v: {driver_opts: {type: none, o: bind, device: /srv/data}}}"),
        (mount("v"), "volumes: {v: {driver_opts: {type: nfs, o: addr=a, device: ':/x'}}}"),
    ],
    ids=["a mount", "a volume that stands on it", "a volume of another host"],
)
def test_a_path_of_the_droplet_is_no_colour_s_own(volumes, top, data, words):
    said = refused(f"{volumes}\n    x-slipway: {{data: {data}}}", "", top, "", ("/srv/data",))
    assert (words in said) if words else (said == "")
    assert said == "" or "compose.yaml:5 gives " in said


@pytest.mark.parametrize("path", ["/srv/data, read_only: true", "/src/data"], ids=["only read", "of the release"])
def test_other_paths_are_a_colour_s_own(path):
    assert refused(f"{mount(path, 'bind')}\n    x-slipway: {{data: per-colour}}", "", "", "", ("/srv/data",)) == ""


def test_one_name_for_two_services_at_home_is_refused():
    others = f"  db2: {{image: x, {AT_HOME}}}\n  api:\n    image: x\n    links: ['db2:rows']"
    assert "compose.yaml:13 has api call db2 by the name rows, which means db to others" in refused(
        "links: ['db:rows']", "", "", others
    )


def test_two_services_whose_names_give_the_same_ports_are_refused():
    taken = loopback_ports("shop", "web", "green")[0]
    twin = next(n for n in (f"s{i}" for i in range(10000)) if loopback_ports("shop", n, "green")[0] == taken)
    others = f"  {twin}:\n    image: x\n    {EXPOSED.replace('a.example', 'b.example')}"
    said = refused(EXPOSED, "", "", others)
    assert f"compose.yaml:5 exposes web, whose ports for the edge, made of its name, are those of {twin} too" in said


def test_every_finding_is_named_at_once():
    said = refused(f"pid: container:a\n    {ports(PORT)}\n    networks: {{n: {{ipv4_address: 10.0.0.2}}}}")
    assert said.count("; ") == 2


def test_a_network_is_named_once():
    said = refused("networks: {n: {}}", "", "networks: {n: {external: true}}", "  api: {image: x, networks: {n: {}}}")
    assert said.count("made elsewhere") == 1


def test_the_ports_of_a_service_are_named_at_once_those_of_each_protocol():
    tcp = [f"{{target: {n}, published: {n}}}" for n in range(8000, 8007)]
    said = refused(ports(*tcp, "{target: 53, published: 53, protocol: udp}"))
    assert "port 8000, 8001, 8002, 8003, 8004 and 2 more of the droplet" in said
    assert said.count("; ") == 1


def test_the_line_of_the_field_is_named_where_the_word_stands_nowhere():
    text = "services:\n  web:\n    image: x\n    ports:\n      - ${PORT}:80\n"
    entry = {"target": 80, "published": "8000", "protocol": "tcp"}
    config = {"name": "shop", "services": {"web": {"image": "x", "ports": [entry]}}}
    with pytest.raises(NotSideBySide, match=r"one droplet: compose\.yaml:5 publishes port 8000 "):
        refuse_shared(config, partial(locate, {"compose.yaml": text}))


def test_without_a_line_the_files_are_named():
    config = {"name": "shop", "services": {"web": {"image": "x", "network_mode": "host"}}}
    with pytest.raises(NotSideBySide, match=r"one droplet: a\.yaml, b\.yaml gives web the network"):
        refuse_shared(config, partial(locate, {"a.yaml": "{}", "b.yaml": "{}"}))
