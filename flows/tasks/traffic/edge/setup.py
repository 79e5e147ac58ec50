"""Steps that put the edge on a droplet: its image by digest, its files, its container, until it answers."""

from dataclasses import dataclass

import httpx
from prefect.logging import get_logger

from blocks import ContainerRegistry
from blocks.errors import RemoteFailed
from blocks.polling import until
from blocks.ssh.http import http_client
from blocks.ssh.shell import RemoteShell
from flows.core.deploy.pull import RegistryLogin, keep_tag, pull_script
from flows.core.droplet.docker_commands import PROJECT_LABEL
from flows.core.droplet.versions import version
from flows.core.errors import BadEdge, EdgeNotReady, SiteRefused
from flows.core.registry.references import split_host, split_reference
from flows.core.traffic.edge.caddyfile import Certificates, EdgeSettings
from flows.core.traffic.edge.places import PROJECT, READY, READY_PATH, EdgeDirectory
from flows.core.traffic.edge.project import edge_mark, edge_project
from flows.core.traffic.edge.setup_scripts import (
    NOT_UP,
    edge_authority_script,
    edge_version_script,
    image_digests_script,
    put_edge_script,
    read_pinned_image,
    start_edge_script,
)
from flows.core.traffic.edge.site_scripts import CHANGED, REFUSED
from flows.core.traffic.edge.view import refuse_taken_ports
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_end
from flows.tasks.runs.retries import ONCE
from flows.tasks.traffic.edge.sites import read_edge

DEFAULT_IMAGE = "caddy:2"
_PULL, _PUT, _START, _ANSWER = 600.0, 150.0, 420.0, 60.0
_SERVES = 90


@dataclass(frozen=True)
class EdgeDone:
    """What became of setting up an edge: its image by digest, Caddy's version, and what differs from before."""

    image: str
    version: str
    before: str
    changed: bool


@task(name="set up the edge", task_run_name="set up the edge on {session.address.name}", timeout_seconds=1200, **ONCE)
def setup_edge(
    session: RemoteShell,
    directory: str,
    image: str = "",
    email: str = "",
    tls: Certificates | None = None,
    registry: ContainerRegistry | None = None,
) -> EdgeDone:
    """Put the edge on a droplet, or bring it up to date; certificates, sites and switches stay as they are.

    Args:
        session: one that holds the droplet's lock.
        directory: Slipway's directory there.
        image: a reference; '' for the one that is there, and at first the official one.
        email: who the authority (ACME) writes to; '' for whom it was told before.
        tls: where certificates come from; None: as it was told before, and at first from an authority.
        registry: the one whose login is used, where the image is from there.

    Raises:
        PortTaken, BadEdge, SiteRefused: nothing was changed.
        EdgeNotReady: it does not answer.
    """
    at = EdgeDirectory(directory)
    EdgeSettings(email)  # refused before the droplet is asked anything
    view = read_edge.fn(session, directory)
    refuse_taken_ports(view, session.address.name)
    pinned = _pinned(session, image or view.image or DEFAULT_IMAGE, registry)
    have = _version(session, pinned)
    settings = EdgeSettings(
        email or view.email, tls or ("internal" if view.tls == "internal" else "acme"), version(have)
    )
    project = edge_project(pinned)
    try:
        put = session.run(put_edge_script(at, pinned, project, settings.text()), timeout=_PUT).out
        started = session.run(start_edge_script(at, edge_mark(project), _SERVES), timeout=_START).out
    except RemoteFailed as error:
        said = masked_end(error.output)
        if error.code == REFUSED:
            raise SiteRefused(
                f"{session.address}: Caddy {have} of {pinned} refuses the edge's configuration: {said}. Nothing was "
                f"changed. Take another image (--image), or look: slipway edge show {session.address.name}"
            ) from None
        if error.code == NOT_UP:
            raise EdgeNotReady(
                f"{session.address}: the edge does not start from {pinned}: {said}. An edge that ran before it runs "
                f"still. The way back: slipway edge setup {session.address.name} --image {view.image or 'ANOTHER'}"
            ) from None
        raise
    _await_answer(session)
    changed = CHANGED in (put.split()[-1:] + started.split()[-1:])
    return EdgeDone(pinned, have, view.image, changed)


def edge_authority(session: RemoteShell) -> str:
    """The certificate (PEM) of the authority that an edge has which certifies itself; who probes it trusts that."""
    return session.run(edge_authority_script(), timeout=QUICK).out


def _pinned(session: RemoteShell, image: str, registry: ContainerRegistry | None) -> str:
    """The image by its digest; it is on the droplet then, with a tag that keeps it there."""
    asked = session.run(image_digests_script(image), timeout=QUICK).out
    if "@" not in image or not asked.strip():
        get_logger("slipway.hooks").info("pulling %s", image)
        host = split_host(split_reference(image)[0])[0]
        try:
            if registry is not None and registry.host == host:
                user, password = registry.login(write=False)
                session.run(pull_script([image], RegistryLogin(host, user)), timeout=_PULL, stdin=password.encode())
            else:
                session.run(["docker", "pull", "--quiet", image], timeout=_PULL)
        except RemoteFailed as error:
            if not asked.strip():
                raise BadEdge(
                    f"{session.address} cannot pull {image!r}: {masked_end(error.output)}. Nothing was changed. Name "
                    "one that it can: --image REPOSITORY@sha256:…"
                ) from None
            get_logger("slipway.hooks").warning("%s could not be pulled again; the one that is there is taken", image)
        asked = session.run(image_digests_script(image), timeout=QUICK).out
    pinned = read_pinned_image(asked, image)
    session.run(["docker", "tag", pinned, keep_tag(pinned)], timeout=QUICK)
    return pinned


def _version(session: RemoteShell, image: str) -> str:
    """The version of the image's Caddy.

    Raises:
        BadEdge: it has none.
    """
    try:
        words = session.run(edge_version_script(image), timeout=QUICK).out.split()
    except RemoteFailed as error:
        raise BadEdge(
            f"{session.address}: the image {image!r} has no Caddy that runs: {masked_end(error.output)}. Nothing was "
            "changed. Name one that has: --image REFERENCE"
        ) from None
    return words[0].removeprefix("v")[:40] if words else ""


def _await_answer(session: RemoteShell) -> None:
    def ask() -> str:
        try:
            with http_client(session, timeout=5) as client:
                return client.get(f"http://127.0.0.1{READY_PATH}").text[:100]
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}"

    until(
        ask,
        lambda said: said == READY,
        _ANSWER,
        pause=0.2,
        unfinished=lambda said, _: EdgeNotReady(
            f"{session.address}: the edge was started and does not answer at port 80: {said}. Its words: "
            f"docker logs $(docker ps -q --filter label={PROJECT_LABEL}={PROJECT}) there"
        ),
    )
