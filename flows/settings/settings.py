"""The settings that hold for a run, and what follows from them.

Read from, strongest first: environment variables `SLIPWAY_…`, `.env`, and the settings files (flows/settings/files.py).
"""

import math

from pydantic import model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from flows.core.droplet.places import block_of, divided_places, refuse_divided
from flows.core.insight.stability.condition import StabilityLimits
from flows.core.insight.stability.number import StabilityThresholds
from flows.core.release.role import Role, home_stack
from flows.core.traffic.colours import Colour, Colours
from flows.settings.fields import SettingsFields
from flows.settings.files import settings_of_files


class Settings(SettingsFields):
    """The settings that hold for the run that asks: those of its destination, where it has one."""

    @model_validator(mode="after")
    def _places(self) -> "Settings":
        """A droplet that both colours share is divided into places."""
        if self.one_droplet:
            if named := [n for n in ("green", "blue", "home") if getattr(self, n) and n in self.model_fields_set]:
                raise ValueError(f"it means green, blue and home, so leave one_droplet or {', '.join(named)} out")
            self.__dict__.update(green=(self.one_droplet,), blue=(self.one_droplet,), home=self.one_droplet)
        green, blue, home = divided_places(self.green, self.blue, self.home)
        self.__dict__.update(green=green, blue=blue, home=home)
        return self

    @property
    def shared_droplet(self) -> str:
        """Name of the Droplet block that both colours share; '' where each has its own."""
        blocks = {block_of(name) for name in self.green} & {block_of(name) for name in self.blue}
        return next(iter(blocks), "")

    @property
    def first_colour(self) -> Colour | None:
        """Where the first promotion goes: the switch of a new edge on the droplet points nowhere."""
        return "green" if self.shared_droplet else None

    @property
    def deployed_to(self) -> str:
        """The droplet, or the place on it, that is deployed to when none is named."""
        shared = self.shared_droplet
        unsaid = "droplet" not in self.model_fields_set or self.droplet == shared
        return self.green[0] if shared and unsaid else self.droplet

    def refuse_divided(self, droplet: str) -> str:
        """The droplet, unless it has several parts of a stack and none is named. Raises ConflictingOptions."""
        return refuse_divided(droplet, self.shared_droplet, (*self.green, *self.blue, self.home))

    @property
    def colours(self) -> Colours:
        """Which droplets each colour has."""
        return Colours(self.green, self.blue)

    @property
    def warm_seconds(self) -> float:
        """Seconds from the turn for which the colour that traffic left goes on running; infinite: always."""
        if not isinstance(self.keep_warm, str):
            return max(self.keep_warm, self.drain)
        sleeps = self.keep_warm == "never" or (self.shared_droplet and not self.keep_warm)
        return self.drain if sleeps else math.inf

    @property
    def stability_limits(self) -> StabilityLimits:
        """When the active release counts as stable, for a rehearsal and a promotion that waits for it."""
        return StabilityLimits(
            self.rehearse_days, self.rehearse_success_rate, self.rehearse_rollbacks, self.rehearse_gate_failures
        )

    @property
    def stability_thresholds(self) -> StabilityThresholds:
        """The thresholds of the numbers of a stability report."""
        return StabilityThresholds(
            self.stability_pull, self.stability_success, self.stability_coverage, self.stability_error_rate,
            self.stability_latency, self.stability_frequency, self.stability_lead_time,
            self.stability_change_failures, self.stability_restore, self.stability_releases, self.stability_requests,
        )  # fmt: skip

    @property
    def shown(self) -> tuple[str, ...]:
        """The droplets that are looked at when none is named."""
        return self.droplets or (*self.green, *self.blue, *((self.home,) if self.home else ()))

    def role(self, droplet: str) -> Role:
        """Which part of a stack is deployed to this droplet: where there is a data home, the colours run the rest."""
        return "colour" if self.home and self.colours.of(droplet) else "all"

    def name_on(self, droplet: str, stack: str) -> str:
        """The name of what stands on a droplet: on a data home that has no colour, it is the stack's home."""
        return home_stack(stack) if droplet == self.home and not self.colours.of(droplet) else stack

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 — secrets are blocks, never settings
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        given = init_settings(), env_settings(), dotenv_settings()
        found, destination = settings_of_files(*given)
        chosen = {"destination": destination} if destination else {}
        return (
            InitSettingsSource(settings_cls, chosen),
            init_settings,
            env_settings,
            dotenv_settings,
            InitSettingsSource(settings_cls, found),
        )
