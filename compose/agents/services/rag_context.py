"""rag-context: finds the documents that fit a question, by TF-IDF. Documents are files on a volume."""

import json
import math
import os
import re
from collections import Counter
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from agents.common.app import Agent
from agents.common.fields import ID, Fields, Refused

EXCERPT = 200


def tokens(text: str) -> list[str]:
    """The words of ``text`` in lower case."""
    return re.findall(r"\w+", text.lower())


class Index:
    """The documents of one directory, and the counts of their words."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.texts: dict[str, str] = {}
        self.counts: dict[str, Counter[str]] = {}
        self._lock = Lock()
        directory.mkdir(parents=True, exist_ok=True)
        for path in directory.glob("*.json"):
            self._add(path.stem, json.loads(path.read_text())["text"])

    def _add(self, key: str, text: str) -> None:
        self.texts[key], self.counts[key] = text, Counter(tokens(text))

    def put(self, key: str, text: str) -> None:
        """Keep ``text`` under ``key``: on the volume first, by a rename, so that a crash leaves the old or the new."""
        path = self.directory / f"{key}.json"
        with self._lock:
            path.with_suffix(".new").write_text(json.dumps({"text": text}))
            path.with_suffix(".new").replace(path)
            self._add(key, text)

    def find(self, query: str, limit: int) -> list[dict[str, Any]]:
        """The best ``limit`` documents that hold a word of ``query``, with scores of the cosine kind, 0 to 1."""
        with self._lock:
            holders = Counter(word for counts in self.counts.values() for word in counts)
            weight = {word: math.log(1 + len(self.counts) / seen) for word, seen in holders.items()}
            asked = {word: times * weight[word] for word, times in Counter(tokens(query)).items() if word in weight}
            scores = {key: _cosine(asked, counts, weight) for key, counts in self.counts.items()}
            best = sorted((key for key, score in scores.items() if score > 0), key=lambda key: (-scores[key], key))
            return [
                {"id": key, "score": round(scores[key], 4), "excerpt": self.texts[key][:EXCERPT]}
                for key in best[:limit]
            ]


def _cosine(asked: dict[str, float], counts: Counter[str], weight: dict[str, float]) -> float:
    shared = sum(value * counts[word] * weight[word] for word, value in asked.items())
    if not shared:
        return 0.0
    length = math.hypot(*(times * weight[word] for word, times in counts.items()))
    return shared / (length * math.hypot(*asked.values()))


agent = Agent("rag-context")


@cache
def index() -> Index:
    """The index of the volume, read once."""
    return Index(Path(os.environ.get("DATA_DIR", "/data")) / "documents")


@agent.workflow("POST", "/documents")
def add(fields: Fields) -> tuple[int, dict[str, Any]]:
    """Keep a text under an id; the same id again replaces it."""
    key = fields.text("id", like=ID)
    text = fields.text("text")
    index().put(key, text)
    return 201, {"id": key, "words": len(tokens(text))}


@agent.workflow("POST", "/search")
def search(fields: Fields) -> dict[str, Any]:
    """The documents that fit ``query``, best first."""
    query = fields.text("query", limit=2000)
    if not tokens(query):
        raise Refused("field 'query' holds no word")
    return {"results": index().find(query, fields.whole("limit", 5, 1, 50)), "documents": len(index().texts)}


agent.checks.append(index)
app = agent.app()
