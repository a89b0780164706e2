"""The configuration that is made from the schema: a system and an entity type for each service, a flow for each intent."""
import json

# Short, so that faults bite soon (after a kill a refusal counts only when nothing of before can be on its way any more: `deadline`
# and `settles_within`); no breaker, because the faults are chance and no outage.
GUARD = {"deadline": "3s", "attempt_timeout": "400ms", "retry": {"max_attempts": 3, "initial": "20ms", "max": "100ms"},
         "breaker": "off", "bulkhead": "off", "limit": "off"}
AGAIN = {"attempts": 50, "wait": "100ms", "max": "1s"}
SETTLES = "1s"  # the stand-in lands nothing later than that


def configuration(corpus, port, world):
    services = {s["service_name"]: s for s in corpus.services}
    return json.dumps({
        "cardan": 1, "store": "sqlite:cardan.db", "listen": f"127.0.0.1:{port}",
        "systems": {"desk": desk(world), **{name: system(s, world) for name, s in services.items()}},
        "entities": {name: entity(s) for name, s in services.items()},
        "flows": {f"{name}-{i['name']}": flow(name, i) for name, s in services.items() for i in s["intents"]},
    }, indent=1)


def desk(world):
    """Where every transaction is noted before it is made, so that a refused one has something to undo."""
    return {"guard": GUARD, "rest": {"url": f"{world}/desk", "operations": {
        "note": {"post": "/note", "repeat": "keyed", "undo": "strike", "settles_within": SETTLES},
        "strike": {"post": "/strike", "repeat": "keyed", "settles_within": SETTLES}}}}


def system(service, world):
    operations = {i["name"]: {"post": f"/{i['name']}", "repeat": "keyed", "settles_within": SETTLES} if i["is_transactional"]
                  else {"post": f"/{i['name']}", "repeat": "safe"} for i in service["intents"]}
    return {"guard": GUARD, "rest": {"url": f"{world}/{service['service_name']}", "operations": operations}}


def entity(service):
    """Slots with a closed list of values take only these, or `dontcare`."""
    closed = {s["name"]: s["possible_values"] + ["dontcare"] for s in service["slots"] if s["is_categorical"]}
    return {"fields": {name: {"constraints": [{"type": "enum", "value": values}]} for name, values in closed.items()}}


def flow(service, intent):
    given = {s: f"${{ entity.{s} }}" for s in intent["required_slots"]}
    given.update({s: f"${{ has(entity.{s}) ? entity.{s} : {json.dumps(d)} }}" for s, d in intent["optional_slots"].items()})
    call = {"call": f"{service}.{intent['name']}", "with": {"reference": "${ entity.reference }", "given": given}, "retry": AGAIN}
    steps = [{"require": intent["required_slots"] + ["reference"]}]
    if not intent["is_transactional"]:
        steps.append({"made": call})
        result = {"found": "${ size(steps.made.results) }"}
    else:
        noted = {"reference": "${ entity.reference }"}
        steps += [{"sure": {"confirm": {"summary": f"{intent['name']} ${{ entity.reference }}?"}, "timeout": "1h"}},
                  {"noted": {"call": "desk.note", "with": noted, "retry": AGAIN,
                             "compensate": {"call": "desk.strike", "with": {**noted, "note": "${ result.id }"}, "retry": AGAIN}}},
                  {"made": {**call, "compensate": "none"}}]
        result = {"transaction_id": "${ steps.made.id }"}
    return {"on": {"commit": {"system": f"{service}-{intent['name']}"}}, "key": "${ entity.id }", "do": steps, "result": result}
