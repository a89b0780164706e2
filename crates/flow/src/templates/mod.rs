//! Built-in flows: the three sagas that everybody needs, ready to be used with `template:`.
//!
//! They call systems by the names in their files; a configuration that names its systems otherwise copies the text.

use diag::{Diagnostic, Entry, Node, Tree};

/// The built-in flows, by name.
pub const ALL: [(&str, &str); 3] = [
    ("order-create", include_str!("order-create.yaml")),
    ("order-saga", include_str!("order-saga.yaml")),
    ("purchase-saga", include_str!("purchase-saga.yaml")),
];

/// A built-in flow as a node.
pub fn get(name: &str) -> Option<Node> {
    let (file, text) = ALL.into_iter().find(|(known, _)| *known == name)?;
    diag::parse(&format!("{file}.yaml"), text).ok()
}

/// A flow with its template filled in: the keys of the flow replace those of the template.
pub(crate) fn resolve(node: &Node) -> Result<Node, Box<Diagnostic>> {
    // Beside steps of its own it stands for nothing, which the shape says.
    let template = node.get("template").filter(|_| node.get("do").is_none());
    let Some(template) = template else { return Ok(node.clone()) };
    let name = template.text().unwrap_or_default();
    let Some(mut base) = get(name) else {
        let names = ALL.map(|(name, _)| name);
        let help = match diag::nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("built in are {}", diag::quoted(&names)),
        };
        let found = Diagnostic::error("FLOW012", &template.span, format!("unknown template `{name}`"));
        return Err(Box::new(found.help(help)));
    };
    if let Tree::Map(entries) = &mut base.tree {
        for own in node.entries().iter().filter(|entry| entry.key != "template") {
            replace(entries, own);
        }
    }
    base.span = node.span.clone();
    Ok(base)
}

fn replace(entries: &mut Vec<Entry>, own: &Entry) {
    match entries.iter_mut().find(|entry| entry.key == own.key) {
        Some(entry) => *entry = own.clone(),
        None => entries.push(own.clone()),
    }
}
