"""orchestrator: plans which agents a piece of work needs, calls them, and stores the task with what they gave."""

import asyncio
import re
from typing import Any
from uuid import uuid4

from agents.common.app import Agent
from agents.common.fields import ID, Fields, Refused
from agents.common.peers import Peers

PRIORITIES = ("low", "medium", "normal", "high", "critical")
TRIGGERS = {
    "feature-dev": r"feature|implement|build|creat|add|endpoint|develop|code|api",
    "code-review": r"review|audit|check|bug|quality|secur|refactor",
    "documentation": r"document|docs?\b|readme|guide|explain",
    "infrastructure": r"deploy|infra|docker|kubernetes|k8s|terraform|host|server|scale",
    "cicd": r"pipeline|\bci\b|\bcd\b|cicd|ci/cd|test|automat|github|gitlab",
}
NEEDS_CODE = ("code-review", "documentation")

agent = Agent("orchestrator")
peers = Peers()


@agent.workflow("POST", "/orchestrate")
async def orchestrate(fields: Fields) -> dict[str, Any]:
    """Do the work in ``description`` and answer once it is stored.

    A client that may repeat its request gives a ``task_id``: the task is then stored once.
    """
    description = fields.text("description", limit=5000)
    priority = fields.choice("priority", PRIORITIES, "normal")
    task_id = fields.text("task_id", uuid4().hex, like=ID)
    chosen = plan(description)
    results = await carry_out(chosen, description)
    failed = sorted(name for name, result in results.items() if "error" in result)
    task = {
        "id": task_id,
        "description": description,
        "priority": priority,
        "status": "partial" if failed else "completed",
        "plan": chosen,
        "results": results,
    }
    await peers.call("state-persistence", "/tasks", task, tries=3)
    return {"task_id": task_id, "status": task["status"], "plan": chosen, "failed": failed}


def plan(description: str) -> list[str]:
    """The agents whose words occur in ``description``. Code is written before it is reviewed or documented."""
    text = description.lower()
    chosen = [name for name, words in TRIGGERS.items() if re.search(rf"\b(?:{words})", text)]
    if not chosen or any(name in NEEDS_CODE for name in chosen):
        chosen = list(dict.fromkeys(["feature-dev", *(chosen or ["code-review"])]))
    return chosen


async def carry_out(chosen: list[str], description: str) -> dict[str, dict[str, Any]]:
    """What each chosen agent answered, or ``{"error": …}``; those that need no other's answer run side by side."""
    results = await _together([name for name in chosen if name not in NEEDS_CODE], description, code="")
    if code := results.get("feature-dev", {}).get("code", ""):
        results |= await _together([name for name in chosen if name in NEEDS_CODE], description, code)
    else:
        results |= {name: {"error": "there is no code to work on"} for name in chosen if name in NEEDS_CODE}
    return results


async def _together(names: list[str], description: str, code: str) -> dict[str, dict[str, Any]]:
    answers = await asyncio.gather(*(_ask(name, description, code) for name in names))
    return dict(zip(names, answers, strict=True))


async def _ask(name: str, description: str, code: str) -> dict[str, Any]:
    path, body = {
        "feature-dev": ("/generate", {"feature": description[:2000], "framework": _framework(description)}),
        "code-review": ("/review", {"code": code, "language": "python"}),
        "documentation": ("/generate-docs", {"code": code, "format": "markdown"}),
        "infrastructure": ("/generate-iac", {"service": "feature", "platform": _platform(description)}),
        "cicd": ("/generate-pipeline", {"language": "python", "platform": _pipeline(description)}),
    }[name]
    try:
        return await peers.call(name, path, body, tries=2)
    except Refused as refused:
        return {"error": refused.message}


def _framework(description: str) -> str:
    return next((name for name in ("fastapi", "flask") if name in description.lower()), "plain")


def _platform(description: str) -> str:
    text = description.lower()
    return next((name for name in ("kubernetes", "terraform") if name in text), "docker-compose")


def _pipeline(description: str) -> str:
    return "gitlab" if "gitlab" in description.lower() else "github-actions"


agent.loads.append(peers.load)
app = agent.app()
