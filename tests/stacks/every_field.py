"""Everything that a service can be given, in one stack; what git does not keep of it is made here."""

from pathlib import Path

from tests.support.judge.stack import JudgedStack
from tests.support.lab.registry_namespace import RegistryNamespace

NAMES = ("a b", "ünï", 'quo"te', "it's", "dol$lar", "semi;colon", "-dash", "new\nline", "back\\slash", ".hidden")


def prepare(checkout: Path, registry: RegistryNamespace) -> None:
    """Files of all kinds, links, modes, and what stands in an environment block."""
    conf = checkout / "conf"
    (conf / "current").symlink_to("v2")
    (conf / "link").symlink_to("v2/app.conf")
    (conf / "dangling").symlink_to("nowhere")
    (conf / "empty").mkdir()
    (conf / "run").write_text("#!/bin/sh\n")
    (conf / "run").chmod(0o755)
    for number, name in enumerate(NAMES):
        (conf / "v2" / name).write_text(f"{number}\r\n")
    (conf / "binary").write_bytes(bytes(range(256)) * 40)
    (conf / "closed").write_text("closed\n")
    (conf / "closed").chmod(0o600)
    (conf / "v2").chmod(0o750)
    (checkout / "rows").mkdir()
    (checkout / "rows" / "first").write_text("a row\n")
    (checkout / "made" / "for" / "it").mkdir(parents=True)
    (checkout / "token.bin").write_bytes(b"\x00\xfftoken\r\n")
    (checkout / "one.env").write_text(
        "FROM_FILE='it'\nSPACED=\"a b\" # why\nCOMMIT=overridden-by-the-service\nexport LAST=$FROM_FILE\n"
    )
    (checkout / ".env").write_text("GREETING=hello\nHOME=/home/of-the-stack\nCOMPOSE_IGNORE_ORPHANS=true\n")
    parts = checkout / "parts"
    (parts / ".env").write_text("PART=of its own\n")
    (parts / "more.env").write_text("PART=of the long form\nGREETING=greeted\nMORE='a # b'\n")
    (parts / "more.secret").write_text("the secret of a part\n")


def change(checkout: Path) -> None:
    """New content of a mounted directory, of a config, of what a service may write to; and a link that moves."""
    conf = checkout / "conf"
    (conf / "of-file.txt").write_text("of another file\n")
    (conf / "v3").mkdir()
    (conf / "v3" / "app.conf").write_text("three\n")
    (conf / "current").unlink()
    (conf / "current").symlink_to("v3")
    (conf / "run").unlink()
    (checkout / "data" / "new").write_text("new\n")
    (checkout / "rows" / "second").write_text("another row\n")
    (checkout / "parts" / ".env").write_text("PART=of its own, changed\n")


STACK = JudgedStack(
    project="every_field",
    source=Path(__file__).parent / "every_field",
    prepare=prepare,
    change=change,
    concerns=("main", "beside", "reader"),
    on_droplet=(
        "for kind in volume network; do\n"
        "    docker $kind inspect every-field-outside >/dev/null 2>&1 && continue\n"
        "    docker $kind create every-field-outside >/dev/null\n"
        "done"
    ),
    afterwards="for kind in volume network; do docker $kind rm every-field-outside >/dev/null 2>&1 || true; done",
    written={"main:/data/started": "grows", "main:/anonymous/born": "keeps"},
)
