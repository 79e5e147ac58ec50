"""Sets a machine up as a droplet: looks, does the next step that is missing, and looks again, until nothing is."""

from collections.abc import Callable

from blocks import Droplet
from blocks.errors import RemoteFailed
from blocks.ssh.shell import RemoteShell
from flows.core.droplet.setup.facts import SetupFacts, read_setup_facts, setup_facts_script
from flows.core.droplet.setup.plan import SetupStep, SetupWish, plan_setup
from flows.core.droplet.setup.scripts import CHANGED_MEANWHILE, NO_ANSWER, NOT_TAKEN, as_root
from flows.core.errors import SetupFailed
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.log_masking import masked_end

_WHY = {
    CHANGED_MEANWHILE: "somebody changed /etc/docker/daemon.json meanwhile; nothing of it was touched",
    NOT_TAKEN: "the engine does not take its new configuration, and has the old one; --log-limit none leaves it alone",
    NO_ANSWER: "the engine does not answer after a minute. Its words: journalctl -u docker, or /var/log/docker.log",
}
_AGAIN = "What was done stays. Mend it, and run the same command again"
Tell = Callable[[str], None]


def look_at_machine(session: RemoteShell, wish: SetupWish) -> SetupFacts:
    """What the machine has of what is wished. Nothing is changed.

    Raises:
        UnreadableAnswer, Unreachable, RemoteFailed, RemoteTimeout
    """
    script = setup_facts_script(wish.user, wish.key, wish.directory)
    return read_setup_facts(session.run(["sh", "-s"], timeout=QUICK, stdin=script.encode()).out)


def set_up_machine(session: RemoteShell, wish: SetupWish, tell: Tell) -> int:
    """Do each step that is missing, and prove each by looking again; returns how many there were.

    Cut off anywhere, the next call goes on where this one ended.

    Args:
        tell: is told a sentence before each step, as some take minutes.

    Raises:
        SetupFailed: a step ended with an error, or is still missing after it.
        SetupRefused, DistributionUnknown
    """
    done: list[str] = []
    facts = look_at_machine(session, wish)
    while steps := plan_setup(facts, wish).steps:
        step = steps[0]
        if step.name in done:
            raise SetupFailed(
                f"{session.address}: the step {step.name!r} ended well, and what it is for is still missing: "
                f"{step.sentence}. {_AGAIN}"
            )
        tell(f"{step.name}: {step.sentence} …")
        _do(session, facts, step)
        done.append(step.name)
        facts = look_at_machine(session, wish)
    return len(done)


def try_deploy_user(droplet: Droplet) -> str:
    """A sentence of what the deploy user reaches: the engine, Compose, and a directory of its own.

    Raises:
        SetupFailed: not all of it. LoginRefused, Unreachable, HostKeyRefused
    """
    engine = "docker version --format '{{.Server.Version}}' && docker compose version --short"
    script = f'{engine} && [ -O "$1" ] && [ -w "$1" ]'
    with droplet.session() as session:
        said = session.run(["sh", "-c", script, "slipway", droplet.directory], timeout=QUICK, check=False)
    if said.code:
        raise SetupFailed(
            f"{droplet.address}: its user gets in, and does not reach the engine, Compose or {droplet.directory}: "
            f"{masked_end(said.err) or 'it says nothing'}. {_AGAIN}"
        )
    have, compose = [*said.out.split(), "?", "?"][:2]
    return f"{droplet.address}: Docker Engine {have}, Compose {compose}"


def _do(session: RemoteShell, facts: SetupFacts, step: SetupStep) -> None:
    argv, script = as_root(facts.rights, step.script)
    try:
        session.run(argv, timeout=step.seconds, stdin=script)
    except RemoteFailed as error:
        why = _WHY.get(error.code) or f"exit {error.code}: {masked_end(error.output) or 'it says nothing'}"
        raise SetupFailed(f"{session.address}: the step {step.name!r} failed: {why}. {_AGAIN}") from None
