"""What is probed where: every container of a service, at the address the droplet reaches it by."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from blocks.ssh.shell import RemoteShell
from flows.core.droplet.containers import Container, by_service
from flows.core.stack.stack import Service, Stack
from flows.settings import Settings


@dataclass(frozen=True)
class Endpoint:
    """One container of a service, as probes reach it.

    Args:
        container: its name where the service has several, '' where it is the only one.
    """

    service: Service
    address: str
    container: str = ""

    def url(self, path: str) -> str:
        return f"http://{self.address}:{self.service.probe_port}{path}"


class ProbeTargets:
    """The services of a stack and the containers they have on the droplet.

    Args:
        traced: services whose workflow left a trace when the last good release was judged there.
    """

    def __init__(
        self,
        stack: Stack,
        containers: Iterable[Container],
        session: RemoteShell,
        settings: Settings,
        *,
        traced: Collection[str] = (),
    ) -> None:
        self.traced = frozenset(traced)
        self.stack = stack
        self.session = session
        self.settings = settings
        self._containers = by_service(containers)

    def services(self, wanted: Callable[[Service], object]) -> list[Service]:
        """The services that are probed so. One with `replicas: 0` has nothing that could answer, and is meant so."""
        return [service for service in self.stack.services.values() if service.replicas and wanted(service)]

    def endpoints(self, service: Service) -> list[Endpoint]:
        """Every running container of the service that has an address."""
        reached = [c for c in self._containers.get(service.name, ()) if c.state == "running" and c.address]
        several = service.replicas > 1 or len(reached) > 1
        return [Endpoint(service, c.address, c.name if several else "") for c in reached]

    def missing(self, service: Service) -> str:
        """Why fewer containers can be probed than the service should have; '' when there are enough."""
        there = len(self.endpoints(service))
        if there >= service.replicas:
            return ""
        if any(c.state == "running" and not c.address for c in self._containers.get(service.name, ())):
            return f"runs without an address that could be asked (network_mode: {service.network or 'none of its own'})"
        return f"{there} of {service.replicas} replicas run" if service.replicas > 1 else "not running"
