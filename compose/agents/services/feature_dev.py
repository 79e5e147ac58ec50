"""feature-dev: the first working version of a feature: a resource that can be created, listed and fetched."""

import re
from string import Template
from typing import Any

from agents.common.app import Agent
from agents.common.fields import Fields, Refused

FILLERS = {"a", "an", "the", "and", "or", "for", "to", "of", "with", "that", "which", "in", "on", "by", "as", "is"}
VERBS = {"add", "build", "create", "implement", "make", "write", "develop", "new", "feature", "endpoint", "api"}

agent = Agent("feature-dev")


@agent.workflow("POST", "/generate")
def generate(fields: Fields) -> dict[str, Any]:
    """Code for ``feature`` in ``framework``; it compiles, and its names come from the feature's own words."""
    feature = fields.text("feature", limit=2000)
    framework = FRAMEWORKS[fields.choice("framework", FRAMEWORKS, "plain")]
    name = resource(feature)
    names = {"feature": _one_line(feature), "name": name, "type": "".join(map(str.title, name.split("_")))}
    code = Template(STORE).substitute(names) + Template(ROUTES[framework]).substitute(names)
    code = Template(IMPORTS[framework]).substitute(names) + code
    compile(code, f"{name}.py", "exec")
    return {"code": code, "framework": framework, "language": "python", "file": f"{name}.py"}


def resource(feature: str) -> str:
    """A Python name of at most three words for what the feature is about."""
    words = re.findall(r"[a-z][a-z0-9]*", feature.lower())
    telling = [word for word in words if word not in FILLERS | VERBS] or words
    if not telling:
        raise Refused("field 'feature' holds no word to name the code by")
    name = "_".join(telling[:3])[:60].rstrip("_")
    return f"{name}_item" if name.title() in TAKEN else name


def _one_line(feature: str) -> str:
    """The feature as it may stand in a docstring: one line, without quotes or backslashes that would end it."""
    return re.sub(r"[^\w .,:;!?()/+-]+", " ", feature).strip()[:80].strip() or "A feature"


TAKEN = {"None", "True", "False", "Flask"}  # what the class of that name would hide, or could not be called
FRAMEWORKS = {"plain": "plain", "python": "plain", "fastapi": "fastapi", "flask": "flask"}

IMPORTS = {
    "plain": '"""$feature."""\n\nfrom dataclasses import dataclass, field\nfrom uuid import uuid4\n',
    "fastapi": '"""$feature."""\n\nfrom dataclasses import asdict, dataclass, field\nfrom uuid import uuid4\n\n'
    "from fastapi import FastAPI, HTTPException\n",
    "flask": '"""$feature."""\n\nfrom dataclasses import asdict, dataclass, field\nfrom uuid import uuid4\n\n'
    "from flask import Flask, abort, jsonify, request\n",
}

STORE = '''

@dataclass
class $type:
    """One ${name} and what is known about it."""

    title: str
    id: str = field(default_factory=lambda: uuid4().hex)


store: dict[str, $type] = {}


def create_$name(title: str) -> $type:
    """Keep a new ${name}; a title that says nothing raises ValueError."""
    if not title.strip():
        raise ValueError("title must not be empty")
    made = $type(title.strip())
    store[made.id] = made
    return made


def find_$name(id: str) -> $type | None:
    """The ${name} with this id, or None."""
    return store.get(id)
'''

ROUTES = {
    "plain": "",
    "fastapi": '''

app = FastAPI(title="$feature")


@app.post("/$name", status_code=201)
def post_$name(title: str) -> dict[str, str]:
    """Create a ${name}."""
    try:
        return asdict(create_$name(title))
    except ValueError as problem:
        raise HTTPException(422, str(problem)) from problem


@app.get("/$name")
def list_$name() -> list[dict[str, str]]:
    """Everything that was created."""
    return [asdict(each) for each in store.values()]


@app.get("/$name/{id}")
def get_$name(id: str) -> dict[str, str]:
    """One ${name}."""
    found = find_$name(id)
    if found is None:
        raise HTTPException(404, "not found")
    return asdict(found)
''',
    "flask": '''

app = Flask(__name__)


@app.post("/$name")
def post_$name():
    """Create a ${name}."""
    try:
        made = create_$name(str((request.get_json(silent=True) or {}).get("title", "")))
    except ValueError as problem:
        return jsonify(error=str(problem)), 422
    return jsonify(asdict(made)), 201


@app.get("/$name")
def list_$name():
    """Everything that was created."""
    return jsonify([asdict(each) for each in store.values()])


@app.get("/$name/<id>")
def get_$name(id: str):
    """One ${name}."""
    return jsonify(asdict(find_$name(id) or abort(404)))
''',
}

app = agent.app()
