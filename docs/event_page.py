"""docs/EVENTS.md, made from flows/core/control/events.py without importing it."""

import ast
import json
from pathlib import Path

_TREE = ast.parse((Path(__file__).resolve().parents[1] / "flows/core/control/events.py").read_text())
# Fields that every event fills, and what a verdict's own events say.
ALWAYS = ("version", "stack", "destination", "by", "run", "run_url")
VERDICTS = {"passed": "pass", "failed": "fail", "inconclusive": "inconclusive", "answered": "approve"}
EVENTS_HEAD = """# Events

What happens in a run is told to Prefect's event bus (`flows/core/control/events.py`): the Prefect UI shows it under
Events, and triggers start other deployments by it. Emitting never fails or delays a run; without the address of a
Prefect server nothing is emitted. Secrets are masked.

The resource of each event is the stack, `prefect.resource.id: slipway.stack.STACK`, with the labels `slipway.stack`,
`slipway.destination` and `slipway.tag`. Related are, where the event is about one, the release
(`slipway.release.STACK.TAG`, role `release`), the destination (`slipway.destination.NAME`, role `destination`), the
droplet (`slipway.droplet.NAME`, role `droplet`) and the outermost flow run (role `flow-run`). Prefect adds the flow,
the deployment, its tags and the work pool. A character of an id that is not a letter, a digit, `.`, `_` or `-` becomes
`-`.

Each event is emitted once for each time it happens, whichever command or deployment it happens in: a promotion that
`release --promote` makes emits what `promote` emits. A run that is cancelled, or whose process dies, emits
`slipway.run.interrupted` and not the event of a failure.
"""
PAYLOAD_HEAD = 'Every event has every field; one that says nothing there is `""`.'
TRIGGERS = """## Triggers

prefect.yaml has these, and each is off until somebody wants it: set `enabled: true` there and deploy again
(`prefect deploy --name NAME`), or turn it on in the Prefect UI under Automations; there it is off again after the next
`prefect deploy` of its deployment.

| trigger | event | starts |
| --- | --- | --- |
| `slipway: promote what is published` | `slipway.release.published` | `promote` of that release, by its digest |
| `slipway: ask for production` | `slipway.promoted` | `promote` with `approval: always` |
| `slipway: switch back on an alert` | `slipway.alert.firing` with the label `action: switch-back` | `switch-back` |
| `slipway: roll back on an alert` | `slipway.alert.firing` with the label `action: rollback` | `rollback` |
| `slipway: reconcile on drift` | `slipway.drift.found` | `reconcile` |

A watch that fails sends traffic back in the same run, and needs no trigger; `slipway.watch.failed` tells of it.

A trigger of your own matches the labels of the stack, and hands the payload on:

```yaml
triggers:
  - name: promote what staging took
    enabled: true
    expect: [slipway.promoted]
    match:
      slipway.stack: shop
      slipway.destination: staging
    parameters:
      stack: "{{ event.payload.stack }}"
      tag: "{{ event.payload.tag }}"
```

## Alerts

`slipway alert-receiver` serves one address on this machine that Alertmanager's webhook posts to, and emits
`slipway.alert.firing` and `slipway.alert.resolved` for what it says. Of an alert's labels `stack`, `droplet` and
`colour` become the fields of that name, and `action` a label of the event's resource, `slipway.action`.

```yaml
receivers:
  - name: slipway
    webhook_configs:
      - url: http://127.0.0.1:9095/alerts
        http_config:
          authorization:
            credentials_file: /etc/alertmanager/slipway-token
```
"""


def event_kinds() -> list[tuple[str, str, tuple[str, ...]]]:
    """Name, occasion and fields of every kind of event, as the code declares them."""
    calls = [node.value for node in _TREE.body if isinstance(node, ast.Assign)]
    found = [call for call in calls if isinstance(call, ast.Call) and ast.unparse(call.func) == "EventKind"]
    read = [[ast.literal_eval(argument) for argument in call.args] for call in found]
    return [(name, when, tuple(*fields)) for name, when, *fields in read]


def payload_fields() -> dict[str, tuple[str, str | int]]:
    """Field of a payload → its description and an example."""
    payload = next(node for node in _TREE.body if isinstance(node, ast.ClassDef))
    found = {}
    for node in payload.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call):
            said = {one.arg: ast.literal_eval(one.value) for one in node.value.keywords}
            found[ast.unparse(node.target)] = (said["description"], said["examples"][0])
    return found


def events_page() -> str:
    """docs/EVENTS.md: every event, its occasion and its payload."""
    fields = payload_fields()
    parts = [EVENTS_HEAD, "## The events", "", "| event | emitted when |", "| --- | --- |"]
    parts += [f"| `{name}` | {_cell(when)} |" for name, when, _ in event_kinds()]
    parts += ["", "## The payload", "", PAYLOAD_HEAD, "", "| field | says |", "| --- | --- |"]
    parts += [f"| `{name}` | {_cell(description)} |" for name, (description, _) in fields.items()]
    parts += ["", "## Examples", "", "One payload each, without the fields that say nothing there."]
    for name, _, own in event_kinds():
        shown = {key: example for key, (_, example) in fields.items() if key in (*own, *ALWAYS)}
        if "verdict" in own and name.rpartition(".")[2] in VERDICTS:
            shown["verdict"] = VERDICTS[name.rpartition(".")[2]]
        parts += ["", f"### `{name}`", "", "```json", json.dumps(shown, indent=2, ensure_ascii=False), "```"]
    return "\n".join([*parts, "", TRIGGERS]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
