"""No parser, masking rule or builder is forgotten: each is under attack, or is named here with the reason why not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import CHECKOUT
from tests.support.hostile.argv import ARGV
from tests.support.hostile.masks import MASKS
from tests.support.hostile.of_droplets import OF_DROPLETS
from tests.support.hostile.of_files import OF_FILES
from tests.support.hostile.of_images import OF_IMAGES
from tests.support.hostile.of_providers import OF_PROVIDERS
from tests.support.hostile.scripts import SCRIPTS

pytestmark = pytest.mark.unit

ATTACKED = {one.name for one in (*ARGV, *MASKS, *OF_DROPLETS, *OF_FILES, *OF_IMAGES, *OF_PROVIDERS, *SCRIPTS)}
# A parser is called like one, or its first argument is a text that others wrote.
CALLED = re.compile(r"(read|parse|load|unpack|judge|split)(_|$)")
GIVEN = {"text", "output", "data", "document", "inspected", "said", "content", "packed", "listed", "complaint",
         "location", "challenge", "answer", "manifest", "reference", "found"}  # fmt: skip
TEXT = re.compile(r"(str|bytes|str \| bytes|httpx\.Response|Json|str \| None|BinaryIO)$")
MASKING = ("flows.core.secrets.masking", "flows.core.quotation", "flows.core.debug.redaction")
WITH_OTHERS = "attacked with `CollectorTarget.of`, by what debug-agent makes of a droplet"
SENTENCES = "it makes sentences or names for people, not arguments"
OF_OURS = "what it is given is ours, or was read by a parser that is attacked"
STRANGE = "attacked with records of any content, in tests/unit/core/insight/stability/test_rollouts.py"
NOT_ATTACKED = {
    "flows.core.control.ci.log.PlainLog.line": "attacked in test_words_of_others_command_no_runner",
    "flows.core.control.ci.log.PlainLog.error": "attacked in test_words_of_others_command_no_runner",
    "flows.core.control.ci.log.GitHubLog.error": "attacked in test_words_of_others_command_no_runner",
    "flows.core.traffic.edge.view.EdgeView.owner": "words for a person; the port in them is a number",
    "flows.core.cloud.provisioning.missing_firewalls": SENTENCES,
    "flows.core.control.deployments.differing_fields": OF_OURS,
    "flows.core.control.server.read_plane": OF_OURS,
    "flows.core.debug.diagnosis.last_lines": WITH_OTHERS,
    "flows.core.debug.redaction.secret_paths": WITH_OTHERS,
    "flows.core.deploy.deployed_state.DeployedState.mark": SENTENCES,
    "flows.core.deploy.digests.digest_mismatches": SENTENCES,
    "flows.core.deploy.files.droplet_trees.tree_id": "a hash",
    "flows.core.deploy.files.staging.release_fingerprint": "a hash",
    "flows.core.deploy.files.staging.local_override": "JSON; Compose reads it back: test_generated_stacks.py",
    "flows.core.deploy.plan.changes.Comparison.changed": "names of fields for people",
    "flows.core.deploy.plan.readings.container_hash": OF_OURS,
    "flows.core.deploy.plan.readings.hashed_config": "JSON on standard input; Compose reads it: test_planning.py",
    "flows.core.deploy.preflight.preflight_problems": SENTENCES,
    "flows.core.deploy.preflight.missing_images": SENTENCES,
    "flows.core.deploy.preflight.older_compose": SENTENCES,
    "flows.core.deploy.readiness.judge_readiness": WITH_OTHERS,
    "flows.core.deploy.replacement.replaced_services": "attacked with `read_drift`",
    "flows.core.droplet.setup.facts.SetupFacts.machine": SENTENCES,
    "flows.core.droplet.setup.scripts.as_root": OF_OURS,
    "flows.core.droplet.setup.scripts.start_script": "no word of others is in it",
    "flows.core.droplet.setup.scripts.restart_script": "no word of others is in it",
    "flows.core.droplet.setup.scripts.swap_script": "the size in it is a number",
    "blocks.ssh.keys.public_half": "attacked with `read_private_key`",
    "flows.core.droplet.asleep.SleepMarker.document": "JSON on standard input",
    "flows.core.droplet.lock.Holder.line": "JSON on standard input",
    "flows.core.explanation.reading.shown_reference": OF_OURS,
    "flows.core.explanation.services.read_services": "the build host's own Compose has checked it",
    "flows.core.gates.probes.judge_tools": "names that `list_tools` found",
    "flows.core.gates.probes.judge_trace": OF_OURS,
    "blocks.traffic.active_url.read_active_url": "an address of the settings",
    "flows.core.insight.doctor.Check.as_json": SENTENCES,
    **dict.fromkeys(
        (
            f"flows.core.insight.doctor.judge_{what}"
            for what in ("automations", "certificate", "clock", "deployments", "disk", "versions", "workers")
        ),
        SENTENCES,
    ),
    "flows.core.insight.drift.Drifted.words": SENTENCES,
    "flows.core.insight.drift.DropletDrift.tag": OF_OURS,
    "flows.core.insight.status.with_traffic": SENTENCES,
    "flows.core.prune.inventory.LocalImage.name": SENTENCES,
    "flows.core.prune.removal.Item.key": SENTENCES,
    "flows.core.prune.system_prune.refuse_reason": SENTENCES,
    "flows.core.insight.stability.condition.judge_stability": OF_OURS,
    "flows.core.insight.stability.number.days_of": "dates",
    "flows.core.insight.stability.rollouts.read_rollouts": STRANGE,
    "flows.core.insight.stability.times.read_moment": STRANGE,
    "flows.core.records.storage.records_tar": "a tar",
    "flows.core.registry.certificates.certificate_hint": SENTENCES,
    "flows.core.release.archive.held": OF_OURS,
    "flows.core.release.shipment.Shipment.sentences": SENTENCES,
    "flows.core.secrets.outdated.outdated_environment": SENTENCES,
    "flows.core.secrets.outdated.outdated_env_files": SENTENCES,
    "flows.core.secrets.release_environment.environment_paths": OF_OURS,
    "flows.core.stack.builds.build_needs.ssh_entries": OF_OURS,
    "flows.core.traffic.adoption.marker.AdoptionMarker.document": "JSON on standard input",
    "flows.core.traffic.adoption.marker.marker_file": OF_OURS,
    "flows.core.traffic.adoption.plan.AdoptionPlan.said": SENTENCES,
    "flows.core.traffic.approval.short_digest": OF_OURS,
    "flows.core.traffic.edge.hosts.certificate_warnings": SENTENCES,
    "flows.core.traffic.promotion_plan.differing": SENTENCES,
    "flows.core.traffic.memory.MemoryNeed.sentence": SENTENCES,
    "flows.core.traffic.sleep.services_to_wake": OF_OURS,
    "flows.core.trust.policy.Proof.of": OF_OURS,
    "flows.core.trust.policy.document_hash": "a hash",
    "blocks.environment.held_content": "what an operator saves, as it is",
    "blocks.ssh.output.tail": "attacked with `LineCollector.feed`",
    "blocks.ssh.tls.TlsStream.read": "bytes, which TLS itself checks",
    "blocks.traffic.caddy.CaddySwitch.read": "attacked as `read_switch_files`, and as `CaddyAdmin.read`",
    "blocks.traffic.dns_record.DnsSwitch.read": "attacked as the models of DigitalOcean",
    "blocks.traffic.load_balancer.LoadBalancerSwitch.read": "attacked as the models of DigitalOcean",
    "blocks.traffic.reserved_ip.ReservedIpSwitch.read": "attacked as the models of DigitalOcean",
    "blocks.traffic.switch.TrafficSwitch.read": "an interface",
}


def functions() -> Iterator[tuple[str, ast.FunctionDef, str]]:
    """Every public function and method of core and blocks: its full name, itself, and the source of its module."""
    for path in sorted(path for top in ("flows/core", "blocks") for path in (CHECKOUT / top).rglob("*.py")):
        source, module = path.read_text(), _module(path)
        for node in ast.parse(source).body:
            inner = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else [node]
            prefix = f"{module}.{node.name}" if isinstance(node, ast.ClassDef) else module
            for function in inner:
                if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
                    yield f"{prefix}.{function.name}", function, source


def _module(path: Path) -> str:
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)


def is_parser(function: ast.FunctionDef) -> bool:
    arguments = [one for one in (*function.args.posonlyargs, *function.args.args) if one.arg not in ("self", "cls")]
    first = arguments[0] if arguments else None
    said = bool(first and first.annotation and first.arg in GIVEN and TEXT.match(ast.unparse(first.annotation)))
    decorated = any(ast.unparse(one).startswith("reads(") for one in function.decorator_list)
    return bool(CALLED.match(function.name)) or said or decorated


def is_builder(function: ast.FunctionDef, source: str) -> bool:
    made = ast.unparse(function.returns) if function.returns else ""
    quotes = "shlex" in source and made in ("str", "bytes", "list[str]", "dict[str, str]")
    return "script" in function.name or quotes or made == "list[str]"


def test_every_parser_masking_rule_and_builder_is_attacked():
    wanted = {
        name
        for name, function, source in functions()
        if is_parser(function)
        or (is_builder(function, source) and name.startswith("flows.core"))
        or name.startswith(MASKING)
    }
    assert len(wanted) > 150
    assert sorted(wanted - ATTACKED - NOT_ATTACKED.keys()) == []


def test_what_is_not_attacked_is_there_and_is_indeed_not():
    assert sorted(NOT_ATTACKED.keys() - {name for name, _, _ in functions()}) == []
    assert sorted(NOT_ATTACKED.keys() & ATTACKED) == []
