"""The files of a control plane for a team, and the sealed file in which one moves."""

import re

import pytest
import yaml

from flows.core.control.team import TeamPlane
from flows.core.errors import BadExport, BadServerDirectory
from flows.tasks.control.moving.sealed_file import read_sealed, write_sealed
from flows.tasks.control.team import packaged_compose_file, write_team_plane

pytestmark = pytest.mark.unit
PLANE = TeamPlane("plane.example.com", "/srv/shop")
SERVICES = yaml.safe_load(packaged_compose_file())["services"]
PASSPHRASE = "correct horse battery"


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_limits_and_comes_back(name):
    service = SERVICES[name]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["restart"] == (
        "on-failure" if name in ("database-upgrade", "trust", "register") else "unless-stopped"
    )
    assert service["logging"]["options"]["max-size"]
    assert re.fullmatch(r"\$\{SLIPWAY_([A-Z]+_)?IMAGE:-.+\}", service["image"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service or name == "proxy"


def test_every_credential_comes_from_outside():
    text = packaged_compose_file()
    for setting in re.findall(r"(\w*(?:PASSWORD|AUTH_STRING|ENCRYPTION_KEY|REDISCLI_AUTH)): (.*)", text):
        assert re.fullmatch(r"\$\{SLIPWAY_\w+:\?.*\}", setting[1]), setting
    assert SERVICES["api-2"]["depends_on"] == {"api-1": {"condition": "service_healthy"}}


def test_settings_that_are_there_stay_and_the_compose_file_is_written_anew(tmp_path):
    place = tmp_path / "plane"
    assert len(write_team_plane(place, PLANE)) == 2
    settings = (place / ".env").read_bytes()
    assert (place / ".env").stat().st_mode & 0o777 == 0o600
    assert write_team_plane(place, None) == []
    (place / "compose.yaml").write_text("an older version")
    assert write_team_plane(place, None) == [f"Wrote {place / 'compose.yaml'}."]
    assert (place / "compose.yaml").read_text() == packaged_compose_file()
    with pytest.raises(BadServerDirectory, match="nothing was changed"):
        write_team_plane(place, PLANE)
    assert (place / ".env").read_bytes() == settings


def test_without_settings_or_a_name_nothing_is_written(tmp_path):
    with pytest.raises(BadServerDirectory, match="--host"):
        write_team_plane(tmp_path / "plane", None)
    assert not (tmp_path / "plane").exists()


def test_a_directory_that_cannot_be_written_is_left_without_settings(tmp_path):
    (tmp_path / "compose.yaml").mkdir()
    with pytest.raises(BadServerDirectory, match="cannot be written"):
        write_team_plane(tmp_path, PLANE)
    (tmp_path / "compose.yaml").rmdir()
    (tmp_path / "file").touch()
    with pytest.raises(BadServerDirectory):
        write_team_plane(tmp_path / "file/plane", PLANE)


def test_a_sealed_file_is_opened_by_its_passphrase_alone(tmp_path):
    file = tmp_path / "export"
    write_sealed(file, b"a secret" * 100, PASSPHRASE)
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"secret" not in file.read_bytes()
    assert read_sealed(file, PASSPHRASE) == b"a secret" * 100
    with pytest.raises(BadExport, match="passphrase"):
        read_sealed(file, f"{PASSPHRASE}!")
    changed = bytearray(file.read_bytes())
    changed[-10] ^= 1
    file.write_bytes(changed)
    with pytest.raises(BadExport, match="changed"):
        read_sealed(file, PASSPHRASE)


def test_nothing_is_written_over_and_a_short_passphrase_is_none(tmp_path):
    file = tmp_path / "export"
    with pytest.raises(BadExport, match="shorter"):
        write_sealed(file, b"a", "short")
    assert not file.exists()
    file.write_text("something else")
    with pytest.raises(BadExport, match="there already"):
        write_sealed(file, b"a", PASSPHRASE)
    with pytest.raises(BadExport, match="nothing that"):
        read_sealed(file, PASSPHRASE)
    with pytest.raises(BadExport, match="cannot be read"):
        read_sealed(tmp_path / "none", PASSPHRASE)
