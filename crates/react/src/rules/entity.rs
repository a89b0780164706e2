//! What must hold for entities of one type.

use std::collections::BTreeMap;

use act::{Constraint, Demands, ExpectedType, HouseRules, Word as _};
use diag::{Diagnostic, Field, Node, Shape};
use expr::{Names, Program, Scope, Ty};
use serde_json::Value;

use crate::Complaint;

/// What must hold for entities of one type.
#[derive(Clone, Debug, Default)]
pub struct EntityRules {
    ensure: Vec<Ensure>,
    fields: BTreeMap<String, FieldRule>,
}

#[derive(Clone, Debug)]
struct Ensure {
    rule: Program,
    say: String,
    at: Moment,
}

/// When a rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Whenever a fact would change the entity. A rule that reads a field the entity does not have yet is skipped.
    Fact,
    /// When a commit names the entity. A field that is missing now breaks the rule.
    Commit,
}

#[derive(Clone, Debug)]
struct FieldRule {
    type_: Option<ExpectedType>,
    demands: Demands,
}

/// What a reader of configuration accepts under `entities: <type>:`.
pub fn entity_shape() -> Shape {
    let ensure = Shape::object([
        Field::new("rule", Shape::text()).required().doc("an expression over `entity` that must be true"),
        Field::new("say", Shape::text()).doc("what to say when it is not"),
        Field::new("on", Shape::choice(["fact", "commit"]))
            .default("fact")
            .doc("asked when a fact would change the entity, or when a commit names it"),
    ]);
    let field = Shape::object([
        Field::new("type", Shape::choice(ExpectedType::ALL.iter().map(|word| word.as_str())))
            .doc("what kind of value it holds"),
        Field::new("constraints", Shape::list(Shape::any())).doc("constraints as an ask has them"),
    ]);
    Shape::object([
        Field::new("ensure", Shape::list(ensure)).doc("what must hold"),
        Field::new("fields", Shape::map("field", field)).doc("what each field may hold"),
    ])
}

impl EntityRules {
    /// Compiles what was written under `entities: <type>:`. Every mistake is told.
    pub fn compile(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut found = entity_shape().check(node);
        if !found.is_empty() {
            return Err(found);
        }
        let mut rules = Self::default();
        for item in node.get("ensure").map(Node::items).unwrap_or_default() {
            match Ensure::compile(item) {
                Ok(ensure) => rules.ensure.push(ensure),
                Err(mistakes) => found.extend(mistakes),
            }
        }
        for entry in node.get("fields").map(Node::entries).unwrap_or_default() {
            match FieldRule::compile(&entry.value) {
                Ok(rule) => drop(rules.fields.insert(entry.key.clone(), rule)),
                Err(mistake) => found.push(*mistake),
            }
        }
        if found.is_empty() { Ok(rules) } else { Err(found) }
    }

    /// What is wrong with the new value of a field, by itself.
    pub(crate) fn field(&self, name: &str, value: Option<&Value>) -> Vec<Complaint> {
        let Some(rule) = self.fields.get(name) else { return Vec::new() };
        let mut out = Vec::new();
        if let (Some(type_), Some(value)) = (rule.type_, value)
            && !is_of(value, type_)
        {
            let message = format!("expected {}", type_.as_str());
            out.push(Complaint::new("field.type", message).of(name));
        }
        out.extend(unmet(&rule.demands, name, value));
        out
    }

    /// Whether any rule is asked at this moment.
    pub(crate) fn asks_at(&self, moment: Moment) -> bool {
        self.ensure.iter().any(|ensure| ensure.at == moment)
    }

    /// What is wrong with the entity as a whole.
    pub(crate) fn ensure(&self, entity: &Value, moment: Moment) -> Vec<Complaint> {
        let scope = Scope::new().bind("entity", entity);
        self.ensure
            .iter()
            .filter(|ensure| ensure.at == moment)
            .filter_map(|rule| rule.broken(&scope))
            .collect()
    }
}

/// What the demands say about a value.
pub(crate) fn unmet(demands: &Demands, field: &str, value: Option<&Value>) -> Vec<Complaint> {
    let complaint = |unmet: act::Unmet| {
        let code = unmet.code.unwrap_or_else(|| format!("constraint.{}", unmet.constraint));
        Complaint { code, message: unmet.message, field: Some(field.to_owned()) }
    };
    demands.unmet(value, &HouseRules::default()).into_iter().map(complaint).collect()
}

/// The code of an expression that reads a field which is not there.
const MISSING_FIELD: &str = "EXPR101";

impl Ensure {
    fn compile(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let names = Names::new().root("entity", Ty::Any);
        let rule = node.get("rule");
        let text = rule.and_then(Node::text).unwrap_or_default();
        let span = rule.map_or(&node.span, |rule| &rule.span);
        let rule = Program::condition(text, span, &names)?;
        let say =
            node.get("say").and_then(Node::text).map_or_else(|| format!("expected {text}"), str::to_owned);
        let at = match node.get("on").and_then(Node::text) {
            Some("commit") => Moment::Commit,
            _ => Moment::Fact,
        };
        Ok(Self { rule, say, at })
    }

    fn broken(&self, scope: &Scope<'_>) -> Option<Complaint> {
        match self.rule.test(scope) {
            Ok(true) => None,
            Ok(false) => Some(Complaint::new("entity.rule", self.say.clone())),
            Err(error) if error.code == MISSING_FIELD && self.at == Moment::Fact => None,
            Err(error) if error.code == MISSING_FIELD => {
                Some(Complaint::new("entity.rule", self.say.clone()))
            }
            // What cannot be judged is not taken for true.
            Err(error) => Some(Complaint::new(error.code, format!("{}: {error}", self.say))),
        }
    }
}

impl FieldRule {
    fn compile(node: &Node) -> Result<Self, Box<Diagnostic>> {
        let wrong =
            |node: &Node, message: String| Box::new(Diagnostic::error("ENTITY001", &node.span, message));
        let mut constraints = Vec::new();
        for item in node.get("constraints").map(Node::items).unwrap_or_default() {
            let read = serde_json::from_value::<Constraint>(item.to_json());
            constraints.push(read.map_err(|error| wrong(item, error.to_string()))?);
        }
        let demands = Demands::compile(&constraints).map_err(|message| wrong(node, message))?;
        let type_ = node.get("type").and_then(Node::text).and_then(ExpectedType::parse);
        Ok(Self { type_, demands })
    }
}

/// Whether a value is of an expected type. The kinds of text are judged by their formats.
fn is_of(value: &Value, type_: ExpectedType) -> bool {
    let formatted = |format| {
        let demand = Demands::compile(&[act::Rule::Format(format).into()]);
        value.is_string()
            && demand.is_ok_and(|demand| demand.unmet(Some(value), &HouseRules::default()).is_empty())
    };
    match type_ {
        ExpectedType::String => value.is_string(),
        ExpectedType::Number => value.is_number(),
        ExpectedType::Boolean => value.is_boolean(),
        ExpectedType::Object => value.is_object(),
        ExpectedType::Array => value.is_array(),
        ExpectedType::Address => value.is_string() || value.is_object(),
        ExpectedType::Date => formatted(act::Format::Date),
        ExpectedType::Email => formatted(act::Format::Email),
        ExpectedType::Phone => formatted(act::Format::Phone),
    }
}
