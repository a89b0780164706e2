//! The members of one object, taken one by one.

use serde_json::Value;

use super::open::{OpenMember, open};
use super::scalar::{self, Read, name};
use crate::issue::{At, Findings, code};
use crate::{Map, Rules};

/// The members of an object that are still to be read.
pub(crate) struct Members<'a> {
    map: Map,
    pub(crate) at: At<'a>,
    pub(crate) rules: &'a Rules,
    pub(crate) found: &'a mut Findings,
}

impl<'a> Members<'a> {
    /// Opens an object; anything else is an issue at its place.
    pub(crate) fn open(value: Value, at: At<'a>, rules: &'a Rules, found: &'a mut Findings) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self { map, at, rules, found }),
            other => {
                found.shape(&at, code::TYPE, format!("expected an object, found {}", name(&other)));
                None
            }
        }
    }

    /// Changes the object before it is read.
    pub(crate) fn mend(&mut self, change: impl FnOnce(&mut Findings, Map) -> Map) {
        let map = std::mem::take(&mut self.map);
        self.map = change(self.found, map);
    }

    /// A member of any type; null is a value.
    pub(crate) fn any(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name)
    }

    /// A member of any type that must be there.
    pub(crate) fn any_required(&mut self, name: &str) -> Option<Value> {
        let value = self.map.remove(name);
        if value.is_none() {
            self.found.shape(&self.at.member(name), code::MISSING, format!("expected a member {name:?}"));
        }
        value
    }

    /// A typed member that may be absent. Compat mode reads null as absent.
    pub(crate) fn optional<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Read<T>) -> Option<T> {
        let value = self.optional_value(name)?;
        self.read(name, value, read)
    }

    /// A typed member that must be there.
    pub(crate) fn required<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Read<T>) -> Option<T> {
        let value = self.any_required(name)?;
        self.read(name, value, read)
    }

    /// Required text that must not be empty.
    pub(crate) fn filled(&mut self, name: &str) -> Option<String> {
        let text = self.required(name, scalar::text)?;
        if text.is_empty() {
            self.found.meaning(&self.at.member(name), code::EMPTY, "expected text, found none");
        }
        Some(text)
    }

    /// Says so when a member is longer than names that become names of rows may be.
    pub(crate) fn bounded(&mut self, name: &str, text: Option<&str>, most: usize) {
        if text.is_some_and(|text| text.len() > most) {
            self.found.meaning(&self.at.member(name), code::TOO_LONG, scalar::too_long(most));
        }
    }

    /// An open object, some of whose members are known.
    pub(crate) fn open_object(&mut self, name: &str, known: &[OpenMember]) -> Option<Map> {
        let mut map = self.optional(name, scalar::object)?;
        open(&mut map, known, &self.at.member(name), self.rules, self.found);
        Some(map)
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.list(name, |item, at, _, found| match item {
            Value::String(text) => Some(text),
            other => {
                found.shape(&at, code::TYPE, format!("expected a string, found {}", scalar::name(&other)));
                None
            }
        })
    }

    /// A list that may be absent, each item read by `read`.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        read: impl FnMut(Value, At<'_>, &Rules, &mut Findings) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.optional(name, scalar::array)?;
        self.items(name, items, read)
    }

    /// A list that must be there, each item read by `read`. `None` when any item is wrong.
    pub(crate) fn required_list<T>(
        &mut self,
        name: &str,
        read: impl FnMut(Value, At<'_>, &Rules, &mut Findings) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.required(name, scalar::array)?;
        self.items(name, items, read)
    }

    fn items<T>(
        &mut self,
        name: &str,
        items: Vec<Value>,
        mut read: impl FnMut(Value, At<'_>, &Rules, &mut Findings) -> Option<T>,
    ) -> Option<Vec<T>> {
        let list = self.at.member(name);
        let count = items.len();
        let mut out = Vec::with_capacity(count);
        for (index, item) in items.into_iter().enumerate() {
            out.extend(read(item, list.item(index), self.rules, self.found));
        }
        (out.len() == count).then_some(out)
    }

    /// A nested value that must be there, read by `read`.
    pub(crate) fn nested<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value, At<'_>, &Rules, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        let value = self.any_required(name)?;
        read(value, self.at.member(name), self.rules, self.found)
    }

    /// A nested value that may be absent, read by `read`.
    pub(crate) fn nested_optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value, At<'_>, &Rules, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        let value = self.optional_value(name)?;
        read(value, self.at.member(name), self.rules, self.found)
    }

    /// What is still to be read.
    pub(crate) fn peek(&self) -> &Map {
        &self.map
    }

    /// Whatever is left, for objects that are open.
    pub(crate) fn rest(self) -> Map {
        self.map
    }

    /// Whatever is left is unexpected.
    pub(crate) fn close(self) {
        for name in self.map.keys() {
            let message = "expected no member of this name".to_owned();
            self.found.shape(&self.at.member(name), code::UNEXPECTED, message);
        }
    }

    /// Whatever is left is unexpected, unless compat mode keeps it.
    pub(crate) fn close_or_keep(self) -> Map {
        if !self.rules.is_compat() {
            self.close();
            return Map::new();
        }
        self.found.mended.unknown_kept += u32::try_from(self.map.len()).unwrap_or(u32::MAX);
        self.map
    }

    fn optional_value(&mut self, name: &str) -> Option<Value> {
        let value = self.map.remove(name)?;
        if value.is_null() && self.rules.is_compat() {
            self.found.mended.nulls_dropped += 1;
            return None;
        }
        Some(value)
    }

    fn read<T>(&mut self, name: &str, value: Value, read: impl FnOnce(Value) -> Read<T>) -> Option<T> {
        match read(value) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.found.shape(&self.at.member(name), wrong.code, wrong.message);
                None
            }
        }
    }
}
