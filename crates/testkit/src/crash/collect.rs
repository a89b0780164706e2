//! Asks the server and the systems for everything the audit needs.

use serde_json::Value;

use super::{Acked, Audit};

const SYSTEMS: [&str; 5] = ["crm", "email", "inventory", "orders", "payments"];
/// Entries asked for at once.
const PAGE: u64 = 1000;
/// What a run is while something goes on in it by itself.
const AT_WORK: [&str; 4] = ["queued", "running", "waiting", "compensating"];

impl Audit {
    /// Collects from a server that has come to rest, and from the simulated systems.
    ///
    /// # Errors
    /// When either cannot be asked.
    pub async fn collect(server: &str, systems: &str, acked: &[Acked]) -> reqwest::Result<Self> {
        let mut audit = Self { runs: runs(server).await?, ..Self::default() };
        audit.state = get(format!("{systems}/_sim/state")).await?;
        for system in SYSTEMS {
            let effects = get(format!("{systems}/_sim/{system}/effects")).await?;
            audit.effects.insert(system.to_owned(), effects);
            audit.ledgers.insert(system.to_owned(), ledger(systems, system).await?);
        }
        for Acked { conversation, .. } in acked {
            if !audit.conversations.contains_key(conversation) {
                audit.conversations.insert(conversation.clone(), acts(server, conversation).await?);
            }
        }
        Ok(audit)
    }

    /// Whether no run is at work. Each run is looked at once: asked for by status, one that goes from a status asked
    /// for later to one asked for before would not be seen.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn at_rest(server: &str) -> reqwest::Result<bool> {
        let at_work = |run: &Value| run["status"].as_str().is_some_and(|status| AT_WORK.contains(&status));
        Ok(!runs(server).await?.iter().any(at_work))
    }

    /// Adds what another provider of payments holds and wrote down.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn add_payments(&mut self, provider: &str) -> reqwest::Result<()> {
        let state = get(format!("{provider}/_sim/state")).await?;
        let charges = state["payments"]["charges"].as_object().cloned().unwrap_or_default();
        if let Some(known) = self.state["payments"]["charges"].as_object_mut() {
            known.extend(charges.into_iter().map(|(id, charge)| (format!("{provider} {id}"), charge)));
        }
        let name = format!("payments at {provider}");
        self.effects.insert(name.clone(), get(format!("{provider}/_sim/payments/effects")).await?);
        self.ledgers.insert(name, ledger(provider, "payments").await?);
        Ok(())
    }
}

async fn get(url: String) -> reqwest::Result<Value> {
    super::client().get(url).send().await?.error_for_status()?.json().await
}

/// All pages of the list of runs.
async fn runs(server: &str) -> reqwest::Result<Vec<Value>> {
    let mut runs = Vec::new();
    let mut next = String::new();
    loop {
        let page = get(format!("{server}/v1/runs?limit=200{next}")).await?;
        runs.extend(page["runs"].as_array().cloned().unwrap_or_default());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&after={cursor}"),
            None => return Ok(runs),
        }
    }
}

async fn ledger(systems: &str, system: &str) -> reqwest::Result<Vec<Value>> {
    let mut entries: Vec<Value> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry["seq"].as_u64().unwrap_or_default());
        let page = get(format!("{systems}/_sim/{system}/ledger?after={after}&limit={PAGE}")).await?;
        let page = page.as_array().cloned().unwrap_or_default();
        let last = (page.len() as u64) < PAGE;
        entries.extend(page);
        if last {
            return Ok(entries);
        }
    }
}

/// The ids of the acts that a conversation holds.
async fn acts(server: &str, conversation: &str) -> reqwest::Result<Vec<String>> {
    let view = get(format!("{server}/conversation/{conversation}")).await?;
    let acts = view["acts"].as_array().into_iter().flatten();
    Ok(acts.filter_map(|act| act["id"].as_str().or(act.as_str())).map(str::to_owned).collect())
}
