"""The agents' work is honest: code compiles and runs, files load, reviews find what was planted and nothing else."""

import ast
import json

import pytest
import yaml

from tests.support.sample_in_process import client

pytestmark = pytest.mark.unit

PLANTED = {
    "syntax-error": "def f(:\n    pass",
    "bare-except": '"""."""\ntry:\n    f()\nexcept:\n    raise',
    "swallowed-error": "try:\n    f()\nexcept ValueError:\n    pass",
    "mutable-default": "def _f(x=[]):\n    return x",
    "dynamic-code": "eval(text)",
    "shell": "run('ls', shell=True)",
    "none-comparison": "a = b == None",
    "true-assertion": "assert (a, 'message')",
    "unused-import": "import os",
    "missing-docstring": "def f():\n    return 1",
}
CLEAN = '''"""Sums."""

from math import fsum as total


def add(items=None, *, start=0.0):
    """The sum of items."""
    try:
        return total(items or ()) + start
    except TypeError as problem:
        raise ValueError("numbers only") from problem


def same(a):
    """Is it nothing?"""
    assert a is None or a == 0, "message"
    return run(["ls"], shell=False)
'''
UNPARSABLE = ["\0", "(" * 5000, "-" * 100_000 + "1", "x = '\\N{nope}'", "if x:\n\ty\n        z"]


def ask(service, path, /, **body):
    with client(service) as http:
        response = http.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("rule", PLANTED)
def test_review_finds_the_planted_fault_and_only_that(rule):
    issues = ask("code-review", "/review", code=PLANTED[rule], language="python")["issues"]
    assert [issue["rule"] for issue in issues] == [rule]


def test_review_says_the_line_and_rejects_errors():
    answer = ask("code-review", "/review", code="x = 1\n\ny = eval('x')\n", language="python")
    assert (answer["issues"][0]["line"], answer["approved"]) == (3, False)


def test_review_has_nothing_to_say_about_clean_code():
    assert ask("code-review", "/review", code=CLEAN, language="python")["issues"] == []


@pytest.mark.parametrize("code", UNPARSABLE, ids=range(len(UNPARSABLE)))
def test_review_of_code_that_cannot_be_parsed_is_a_finding(code):
    assert ask("code-review", "/review", code=code)["issues"][0]["rule"] == "syntax-error"


@pytest.mark.parametrize("framework", ["plain", "fastapi", "flask"])
@pytest.mark.parametrize(
    "feature",
    [
        "a list of customer invoices",
        "import",
        "store",
        'Quote""" \\ break\n$name ${type} {x}',
        "Größe 3 — ärger",
        "class class",
        "None",
    ],
)
def test_generated_code_compiles_and_passes_the_review(feature, framework):
    code = ask("feature-dev", "/generate", feature=feature, framework=framework)["code"]
    compile(code, "generated.py", "exec")
    assert ask("code-review", "/review", code=code)["issues"] == []


def test_generated_plain_code_works():
    code = ask("feature-dev", "/generate", feature="Build an invoice archive", framework="plain")["code"]
    space = {}
    exec(compile(code, "generated.py", "exec"), space)  # noqa: S102 — what the sample itself generates
    made = space["create_invoice_archive"](" March ")
    assert space["find_invoice_archive"](made.id).title == "March"
    assert space["find_invoice_archive"]("other") is None
    with pytest.raises(ValueError, match="must not be empty"):
        space["create_invoice_archive"](" ")


@pytest.mark.parametrize(("framework", "made"), [("fastapi", "FastAPI"), ("flask", "Flask")])
def test_generated_code_has_the_frameworks_routes(framework, made):
    tree = ast.parse(ask("feature-dev", "/generate", feature="orders", framework=framework)["code"])
    routes = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert routes == ["post_orders", "list_orders", "get_orders"]
    assert made in {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "id")}


def test_kubernetes_manifests_load_and_fit_together():
    deployment, service = yaml.safe_load_all(
        ask("infrastructure", "/generate-iac", service="billing", platform="kubernetes")["iac"]
    )
    assert (deployment["kind"], service["kind"]) == ("Deployment", "Service")
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["containerPort"]


def test_the_compose_file_loads_and_holds_the_service():
    iac = ask("infrastructure", "/generate-iac", service="billing", platform="docker-compose", port=9000)["iac"]
    assert yaml.safe_load(iac)["services"]["billing"]["ports"] == ["127.0.0.1:9000:9000"]


def test_terraform_json_loads_and_its_firewall_refers_to_its_droplet():
    resource = json.loads(ask("infrastructure", "/generate-iac", service="billing", platform="terraform")["iac"])[
        "resource"
    ]
    assert resource["digitalocean_firewall"]["billing"]["droplet_ids"] == ["${digitalocean_droplet.billing.id}"]
    assert "billing" in resource["digitalocean_droplet"]


@pytest.mark.parametrize(
    ("language", "test"),
    [("python", "pytest"), ("node", "npm test"), ("typescript", "npm test"), ("go", "go test ./...")],
)
def test_pipelines_load_and_run_the_languages_tests(language, test):
    github = yaml.safe_load(ask("cicd", "/generate-pipeline", platform="github-actions", language=language)["pipeline"])
    assert github["jobs"]["check"]["steps"][-1]["run"] == test
    assert "push" in github["on"]
    gitlab = yaml.safe_load(ask("cicd", "/generate-pipeline", platform="gitlab", language=language)["pipeline"])
    assert gitlab["test"] == {"stage": "test", "script": [test]}


DOCUMENTED = '''"""Shapes."""
class Square(Shape):
    """Four equal sides, a < b."""
    async def area(self, unit: str = "m", *rest, **more) -> float:
        """Its area."""
    def _hidden(self): ...
def free(): ...
'''


def test_documentation_holds_signatures_and_docstrings_of_what_is_public():
    answer = ask("documentation", "/generate-docs", code=DOCUMENTED, format="markdown")
    assert answer["documented"] == ["Square", "Square.area", "free"]
    assert "async def Square.area(self, unit: str='m', *rest, **more) -> float" in answer["documentation"]
    assert "Its area." in answer["documentation"]
    assert "_hidden" not in answer["documentation"]


def test_html_documentation_escapes_what_the_code_says():
    page = ask("documentation", "/generate-docs", code=DOCUMENTED, format="html")["documentation"]
    assert "Four equal sides, a &lt; b." in page
    assert "-&gt; float" in page


def test_rst_documentation_is_made_of_directives():
    page = ask("documentation", "/generate-docs", code=DOCUMENTED, format="rst")["documentation"]
    assert ".. py:class:: Square(Shape)\n\n   Four equal sides" in page
    assert ".. py:function:: Square.area(self" in page


@pytest.mark.parametrize("feature", ["flask", "true"])
def test_the_generated_class_hides_nothing_that_the_code_imports(feature):
    tree = ast.parse(ask("feature-dev", "/generate", feature=feature, framework="flask")["code"])
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported.isdisjoint(node.name for node in tree.body if isinstance(node, ast.ClassDef))
