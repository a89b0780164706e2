//! Whether a value meets its constraints. Whatever cannot be judged is not met.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::{Number, Value};

use crate::pattern::Pattern;
use crate::{Constraint, Format, Map, Range, Rule, Time, Word as _, format, pattern, time};

/// A demand that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The kind of demand: `required`, `range`, …
    pub constraint: &'static str,
    /// What to say: the constraint's own message, or the built-in text.
    pub message: String,
    /// The constraint's own code.
    pub code: Option<String>,
}

/// A rule of the house: given the value and the rule's parameters, what would be right when it does not hold.
pub type HouseRule = Arc<dyn Fn(&Value, &Value) -> Result<(), String> + Send + Sync>;

/// The rules of the house, by name. One that is not here is never met.
#[derive(Clone, Default)]
pub struct HouseRules(BTreeMap<String, HouseRule>);

impl HouseRules {
    /// Adds a rule.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        rule: impl Fn(&Value, &Value) -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.0.insert(name.into(), Arc::new(rule));
    }
}

impl fmt::Debug for HouseRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Constraints made ready to be asked many times.
#[derive(Clone, Debug)]
pub struct Demands {
    demands: Vec<Demand>,
    /// How many bytes of text the patterns are asked of.
    reach: usize,
}

#[derive(Clone, Debug)]
struct Demand {
    constraint: Constraint,
    pattern: Option<Arc<Pattern>>,
}

impl Demands {
    /// Compiles the constraints, or says which pattern cannot be run, or that all of them together take too much.
    pub fn compile(constraints: &[Constraint]) -> Result<Self, String> {
        let ready = |constraint: &Constraint| {
            let pattern = match &constraint.rule {
                Rule::Pattern(text) => Some(pattern::compile(text).map_err(pattern::Fault::told)?),
                _ => None,
            };
            Ok(Demand { constraint: constraint.clone(), pattern })
        };
        let demands = constraints.iter().map(ready).collect::<Result<Vec<_>, String>>()?;
        let size =
            demands.iter().filter_map(|demand| demand.pattern.as_ref()).map(|pattern| pattern.size).sum();
        if size > pattern::LARGEST {
            return Err(pattern::large());
        }
        Ok(Self { demands, reach: pattern::reach(size) })
    }

    /// Every demand the value does not meet, in the order they were written. `None` is an absent value: only
    /// `required` has anything to say about it.
    pub fn unmet(&self, value: Option<&Value>, house: &HouseRules) -> Vec<Unmet> {
        let judge = |demand: &Demand| {
            let judged = demand.judge(value, self.reach, house);
            judged.err().map(|built_in| demand.unmet(built_in))
        };
        self.demands.iter().filter_map(judge).collect()
    }
}

impl Demand {
    fn unmet(&self, built_in: String) -> Unmet {
        let constraint = &self.constraint;
        Unmet {
            constraint: constraint.rule.name(),
            message: constraint.message.clone().unwrap_or(built_in),
            code: constraint.code.clone(),
        }
    }

    fn judge(&self, value: Option<&Value>, reach: usize, house: &HouseRules) -> Result<(), String> {
        let Some(value) = value else { return required_absent(&self.constraint.rule) };
        match &self.constraint.rule {
            Rule::Required(_) => holds(!is_blank(value), "expected a value"),
            Rule::Optional(_) => Ok(()),
            Rule::MinLength(least) => length(value, |n| n >= least.get(), "at least", least.get()),
            Rule::MaxLength(most) => length(value, |n| n <= most.get(), "at most", most.get()),
            Rule::Pattern(text) => match (value, &self.pattern) {
                (Value::String(found), _) if found.len() > reach => {
                    Err(format!("expected at most {reach} bytes: what is longer takes long to match"))
                }
                (Value::String(found), Some(pattern)) => {
                    holds_or(pattern.is_match(found), || format!("expected text that matches {text}"))
                }
                _ => Ok(()),
            },
            Rule::Format(form) => match value {
                Value::String(text) => has_format(text, *form),
                _ => Ok(()),
            },
            Rule::Range(range) => match value {
                Value::Number(number) => within(number, range),
                _ => Ok(()),
            },
            Rule::OneOf(values) => {
                holds(values.iter().any(|choice| same(choice, value)), "expected one of the listed values")
            }
            Rule::Custom(rule) => custom(rule.as_ref(), value, house),
        }
    }
}

fn required_absent(rule: &Rule) -> Result<(), String> {
    holds(!matches!(rule, Rule::Required(_)), "expected a value")
}

fn holds(met: bool, expected: &str) -> Result<(), String> {
    holds_or(met, || expected.to_owned())
}

fn holds_or(met: bool, expected: impl FnOnce() -> String) -> Result<(), String> {
    if met { Ok(()) } else { Err(expected()) }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn length(value: &Value, fits: impl Fn(u64) -> bool, bound: &str, limit: u64) -> Result<(), String> {
    let (count, unit) = match value {
        Value::String(text) => (text.chars().count(), "characters"),
        Value::Array(items) => (items.len(), "items"),
        Value::Object(members) => (members.len(), "members"),
        Value::Null | Value::Bool(_) | Value::Number(_) => return Ok(()),
    };
    holds_or(fits(count as u64), || format!("expected {bound} {limit} {unit}"))
}

/// Whether text has a format; the ones with a zone follow RFC 3339.
fn has_format(text: &str, form: Format) -> Result<(), String> {
    let fits = match form {
        Format::Email => format::is_answered_email(text),
        Format::Phone => format::is_phone(text),
        Format::Url => format::is_url(text),
        Format::Date => time::date(text).is_some(),
        Format::Time => time::is_time(text),
        Format::Datetime => Time::parse(text).is_some(),
        Format::Uuid => format::is_uuid(text),
        Format::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
        Format::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
    };
    holds_or(fits, || format!("expected the format {}", form.as_str()))
}

fn within(number: &Number, range: &Range) -> Result<(), String> {
    let inclusive = range.inclusive.unwrap_or(true);
    let inside = |bound: &Option<Number>, side: std::cmp::Ordering| match bound {
        None => true,
        Some(bound) => compare(number, bound).is_some_and(|is| is == side || (inclusive && is.is_eq())),
    };
    let met = inside(&range.min, std::cmp::Ordering::Greater) && inside(&range.max, std::cmp::Ordering::Less);
    holds_or(met, || {
        let bound = |n: &Option<Number>| n.as_ref().map_or("any".to_owned(), Number::to_string);
        let ends = if inclusive { "inclusive" } else { "exclusive" };
        format!("expected {} to {}, {ends}", bound(&range.min), bound(&range.max))
    })
}

/// Compares by decimal value; by double where a number is too large for that.
fn compare(left: &Number, right: &Number) -> Option<std::cmp::Ordering> {
    match (json::decimal(left), json::decimal(right)) {
        (Some(left), Some(right)) => Some(Decimal::cmp(&left, &right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

/// Equality of JSON values, where 1 and 1.0 are the same number.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            compare(left, right).is_some_and(std::cmp::Ordering::is_eq)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => same_members(left, right),
        _ => left == right,
    }
}

fn same_members(left: &Map, right: &Map) -> bool {
    left.len() == right.len()
        && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
}

fn custom(rule: Option<&Value>, value: &Value, house: &HouseRules) -> Result<(), String> {
    let name = rule.and_then(|rule| rule.get("business_rule")).and_then(Value::as_str);
    let Some(name) = name else { return Err("expected the name of a rule of the house".to_owned()) };
    let Some(judge) = house.0.get(name) else {
        return Err(format!("expected a rule of the house we know, found {name:?}"));
    };
    judge(value, rule.and_then(|rule| rule.get("parameters")).unwrap_or(&Value::Null))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn meets(constraint: &Value, value: &Value) -> bool {
        let read = crate::check(crate::DocumentKind::Constraint, constraint.clone(), &crate::Rules::strict());
        let crate::Checked::Constraint(constraint) = read.expect("a constraint").value else {
            panic!("expected a constraint")
        };
        let mut house = HouseRules::default();
        house.add("luhn_check", |value, _| holds(value == "4242", "expected a card number"));
        Demands::compile(&[constraint]).unwrap().unmet(Some(value), &house).is_empty()
    }

    #[test]
    fn each_demand_has_its_reach() {
        let met = [
            (json!({"type":"required"}), json!(0)),
            (json!({"type":"optional"}), json!(null)),
            (json!({"type":"min_length","value":2}), json!("éé")),
            (json!({"type":"min_length","value":2}), json!(7)),
            (json!({"type":"max_length","value":1.0}), json!({"a":1})),
            (json!({"type":"pattern","value":"b"}), json!("abc")),
            (json!({"type":"pattern","value":"b"}), json!(3)),
            (json!({"type":"range","value":{"min":0.3}}), json!(0.3)),
            (json!({"type":"range","value":{"min":1,"max":3,"inclusive":false}}), json!(2)),
            (json!({"type":"range","value":{"min":5}}), json!("1")),
            (json!({"type":"range","value":{}}), json!(1e300)),
            (json!({"type":"enum","value":["a",null,{"n":1}]}), json!({"n":1.0})),
            (json!({"type":"custom","value":{"business_rule":"luhn_check"}}), json!("4242")),
        ];
        met.iter().for_each(|(constraint, value)| assert!(meets(constraint, value), "{constraint} {value}"));
    }

    #[test]
    fn each_demand_can_fail() {
        let unmet = [
            (json!({"type":"required"}), json!(" \t")),
            (json!({"type":"required"}), json!(null)),
            (json!({"type":"min_length","value":3}), json!("éé")),
            (json!({"type":"max_length","value":1}), json!([1, 2])),
            (json!({"type":"pattern","value":"^b$"}), json!("abc")),
            (json!({"type":"range","value":{"max":3,"inclusive":false}}), json!(3)),
            (json!({"type":"range","value":{"min":-1}}), json!(-1e300)),
            (json!({"type":"enum","value":[1]}), json!(true)),
            (json!({"type":"enum","value":["1"]}), json!(1)),
            (json!({"type":"custom","value":{"business_rule":"luhn_check"}}), json!("4243")),
            (json!({"type":"custom","value":{"business_rule":"no_such_rule"}}), json!("x")),
            (json!({"type":"custom"}), json!("x")),
        ];
        unmet
            .iter()
            .for_each(|(constraint, value)| assert!(!meets(constraint, value), "{constraint} {value}"));
    }

    #[test]
    fn no_pattern_is_asked_of_more_text_than_it_is_quick_about() {
        let pattern = json!({"type":"pattern","value":"[ab]*a[ab]{500}c|^a"});
        assert!(meets(&pattern, &json!("ab".repeat(400))));
        assert!(!meets(&pattern, &json!("ab".repeat(50_000))));
        let many: Vec<Constraint> = vec![Rule::Pattern("[ab]*a[ab]{500}c".to_owned()).into(); 100];
        assert!(Demands::compile(&many[..2]).is_ok());
        assert!(Demands::compile(&many).unwrap_err().contains("256 KiB"));
    }

    #[test]
    fn formats() {
        for (form, good, bad) in [
            ("email", "ann@example.com", "ann@localhost"),
            ("phone", "+49 (30) 123-4567", "12345"),
            ("url", "https://example.com/a", "example.com"),
            ("date", "2024-02-29", "2023-02-29"),
            ("time", "09:15:00", "9:15"),
            ("datetime", "2025-03-04T09:15:00Z", "2025-03-04T09:15:00"),
            ("uuid", "0190a6e0-0000-7000-8000-000000000000", "0190a6e0"),
            ("ipv4", "127.0.0.1", "127.0.0.01"),
            ("ipv6", "::1", "::1%eth0"),
        ] {
            let constraint = json!({"type": "format", "value": form});
            assert!(meets(&constraint, &json!(good)) && !meets(&constraint, &json!(bad)), "{form}");
        }
    }

    #[test]
    fn the_constraint_speaks_for_itself() {
        let demands = Demands::compile(&[Constraint::required().saying("your name?").coded("NAME")]).unwrap();
        let found = demands.unmet(None, &HouseRules::default());
        let said = Unmet { constraint: "required", message: "your name?".into(), code: Some("NAME".into()) };
        assert_eq!(found, [said]);
        assert_eq!(Demands::compile(&[Constraint::email()]).unwrap().unmet(None, &HouseRules::default()), []);
    }
}
