"""Reads the Schema-Guided Dialogue data, and says each dialogue in acts.

A plan is a list of steps, in the order of the dialogue:

  ("say", [act, …])    facts, asks and confirmations of the conversation's own, sent as one array
  ("commit", Commit)   the agent commits; of a transaction, until the flow's question is open
  ("answer", Commit)   the user answers the flow's question
  ("end", Commit)      the run is over, and its verdict is the corpus's
"""
import collections, gzip, json, os


class Commit:
    """One call of the corpus, or one that its user did not want: what is committed, and how it must end."""

    def __init__(self, reference, entity, service, intent, transaction, verdict, given, found):
        self.reference, self.entity, self.service, self.intent = reference, entity, service, intent
        self.transaction, self.verdict, self.given, self.found = transaction, verdict, given, found
        self.conversation, self.runs, self.told = reference.rsplit("-", 1)[0], set(), None
        self.times = 0

    system = property(lambda self: f"{self.service}-{self.intent}")
    question = property(lambda self: f"{self.intent} {self.reference}?")


class Corpus:
    def __init__(self, folder):
        self.services = json.load(open(os.path.join(folder, "dev-schema.json"), encoding="utf-8"))
        self.intents = {(s["service_name"], i["name"]): i for s in self.services for i in s["intents"]}
        with gzip.open(os.path.join(folder, "dev-dialogues.jsonl.gz"), "rt", encoding="utf-8") as lines:
            self.dialogues = [json.loads(line) for line in lines]


class Planner:
    """Says one dialogue in acts."""

    def __init__(self, corpus, dialogue, unsaid):
        self.corpus, self.dialogue, self.unsaid = corpus, dialogue, unsaid
        self.steps, self.acts, self.number = [], 0, 0
        self.offered, self.known = collections.defaultdict(dict), collections.defaultdict(dict)
        self.intent, self.open, self.proposal = {}, {}, None

    def plan(self):
        turns = self.dialogue["turns"]
        for at, turn in enumerate(turns):
            for frame in turn["frames"]:
                (self.user if turn["speaker"] == "USER" else self.agent)(at, frame)
        return self.steps

    # What the user says: first the answer to what was asked, then everything else.

    def user(self, at, frame):
        service, kinds = frame["service"], {a[0] for a in frame["actions"]}
        said = frame.get("intent")
        if (service, said) in self.corpus.intents:
            self.intent[service] = said
        later = self.call_at(at + 1, service)
        if later and later["transaction"] and service not in self.open:
            self.commit(service, later, self.open)  # the corpus asks with an offer, or not at all
        if service in self.open:
            commit = self.open[service]
            self.steps.append(("answer", commit))
            if commit.verdict == "rejected":
                self.steps.append(("end", self.open.pop(service)))
        self.say("user", "human", service, frame["actions"], kinds)

    # What the agent says: the end of a call, then its words, then what it proposes.

    def agent(self, at, frame):
        service, kinds = frame["service"], {a[0] for a in frame["actions"]}
        call = self.call_at(at, service)
        if call and call["transaction"]:
            self.steps.append(("end", self.open.pop(service)))
        elif call:
            self.steps.append(("end", self.commit(service, call, {})))
        self.say("agent", "ai", service, frame["actions"], kinds)
        if "CONFIRM" in kinds:
            self.commit(service, self.call_at(at + 2, service) or self.unwanted(service, frame), self.open)

    def say(self, speaker, source, service, actions, kinds):
        acts = []
        for kind, slot, values in actions:
            if kind in ("INFORM", "CONFIRM") and values and self.is_slot(service, slot):
                acts.append(self.fact(speaker, source, service, slot, values[0]))
            elif kind == "SELECT":
                chosen = {slot: values[0]} if slot and values else self.offered[service]
                acts += [self.fact(speaker, source, service, s, v) for s, v in sorted(chosen.items())]
            elif kind == "OFFER" and values:
                self.offered[service][slot] = values[0]
                self.unsaid["OFFER (shown by the agent, no act; a SELECT makes it facts)"] += 1
            elif kind == "REQUEST":
                acts.append(self.act("ask", speaker, source, field=slot, prompt=f"What is the {slot}?"))
            elif kind in ("OFFER_INTENT", "AFFIRM_INTENT", "NEGATE_INTENT"):
                acts += self.intent_offered(speaker, source, service, kind, values)
            elif kind not in ("AFFIRM", "NEGATE", "INFORM_COUNT", "INFORM_INTENT", "NOTIFY_SUCCESS", "NOTIFY_FAILURE"):
                self.unsaid[kind] += 1
            elif kind == "NEGATE" and service not in self.open and "INFORM" not in kinds:
                self.unsaid["NEGATE of nothing that was asked"] += 1
        if acts:
            self.steps.append(("say", acts))

    def intent_offered(self, speaker, source, service, kind, values):
        if kind == "OFFER_INTENT":
            self.proposal = (service, f"Shall I go on with {values[0] if values else 'it'}?")
            answer = dict(awaiting=True)
        elif self.proposal is None:
            self.unsaid[kind + " of nothing that was offered"] += 1
            return []
        else:
            answer = dict(awaiting=False, confirmed=kind == "AFFIRM_INTENT")
        about, summary = self.proposal
        return [self.act("confirm", speaker, source, entity=self.entity(about), summary=summary, **answer)]

    # Calls

    def call_at(self, at, service):
        turns = self.dialogue["turns"]
        for frame in turns[at]["frames"] if at < len(turns) else []:
            if frame["service"] == service and "call" in frame:
                intent = self.corpus.intents[service, frame["call"]["method"]]
                refused = any(a[0] == "NOTIFY_FAILURE" for a in frame["actions"])
                return dict(intent=intent, transaction=intent["is_transactional"], given=frame["call"]["parameters"],
                            verdict="failed" if refused else "success", found=frame.get("results", []))

    def unwanted(self, service, frame):
        """What the agent proposed and the user did not want."""
        intent = self.corpus.intents[service, self.intent[service]]
        given = {slot: values[0] for kind, slot, values in frame["actions"] if kind == "CONFIRM" and values}
        for slot in intent["required_slots"]:
            given.setdefault(slot, self.known[service].get(slot, "dontcare"))
        return dict(intent=intent, transaction=True, given=given, verdict="rejected", found=[])

    def commit(self, service, call, opened):
        self.number += 1
        reference = f"{self.dialogue['id']}-{self.number}"
        commit = Commit(reference, self.entity(service), service, call["intent"]["name"], call["transaction"],
                        call["verdict"], call["given"], call["found"])
        missing = {s: v for s, v in call["given"].items() if self.known[service].get(s) != v}
        self.unsaid["facts that the agent supplied, because its call has them and nobody said them"] += len(missing)
        facts = [self.fact("agent", "ai", service, s, v) for s, v in sorted(missing.items())]
        self.steps.append(("say", facts + [self.fact("agent", "ai", service, "reference", reference)]))
        self.steps.append(("commit", commit))
        opened[service] = commit
        return commit

    # Acts

    def is_slot(self, service, slot):
        return slot not in ("", "intent", "count")

    def entity(self, service):
        return {"id": f"{self.dialogue['id']}_{service}", "type": service}

    def fact(self, speaker, source, service, slot, value):
        self.known[service][slot] = value
        return self.act("fact", speaker, source, entity=self.entity(service), field=slot, value=value)

    def act(self, kind, speaker, source, **members):
        self.acts += 1
        return {"id": f"act_{self.dialogue['id']}_{self.acts}", "timestamp": "2019-03-01T10:00:00Z",
                "speaker": speaker, "source": source, "type": kind, **members}
