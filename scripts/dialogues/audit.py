"""Compares the ledger of the stand-in with what the corpus wants and with what was told."""


def audit(world, commits):
    """(intents, effects that stand for them, what is wrong)."""
    intents, standing, wrong = 0, 0, list(world.wrong)
    for commit in commits:
        if len(commit.runs) != 1:
            wrong.append(f"{commit.reference}: {len(commit.runs)} runs under one key")
        if not commit.transaction:
            continue
        made = world.effects.get((commit.reference, commit.intent), [])
        notes = world.effects.get((commit.reference, "note"), [])
        stands = len(notes) - min(len(notes), world.struck[commit.reference])
        wanted = 1 if commit.verdict == "success" else 0
        intents += 2 * wanted
        standing += len(made) + stands
        if len(made) != wanted or stands != wanted or len(notes) != (commit.verdict != "rejected") or world.struck[commit.reference] > 1:
            wrong.append(f"{commit.reference} ({commit.verdict}): made {made}, noted {notes}, struck {world.struck[commit.reference]} times")
        if commit.told and wanted and commit.told["result"].get("transaction_id") not in made:
            wrong.append(f"{commit.reference}: told {commit.told['result']}, made {made}")
    return intents, standing, wrong
