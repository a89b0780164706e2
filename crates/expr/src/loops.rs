//! `all`, `exists`, `exists_one`, `map` and `filter`.

use crate::code::Code;
use crate::eval::Eval;
use crate::fail::{Fail, Outcome};
use crate::tree::{Loop, LoopKind};
use crate::value::{List, Val};

impl<'a> Eval<'a, '_> {
    pub(crate) fn run_loop(&mut self, of: &'a Loop) -> Outcome<Val<'a>> {
        let items = self.items(of)?;
        match of.kind {
            LoopKind::All => self.any(of, &items, false),
            LoopKind::Exists => self.any(of, &items, true),
            LoopKind::ExistsOne => self.one(of, &items),
            LoopKind::Map => self.mapped(of, &items),
            LoopKind::Filter => self.filtered(of, &items),
        }
    }

    fn items(&mut self, of: &'a Loop) -> Outcome<List<'a>> {
        let fail = match self.value(&of.range)? {
            Val::List(list) => return Ok(list),
            Val::Map(map) => {
                self.fuel.spend(map.len())?;
                return Ok(List::Made(map.keys().into()));
            }
            Val::Null => Fail::new(Code::Null, "null has no items"),
            other => Fail::new(
                Code::WrongType,
                format!("only lists and maps have items, this is {}", other.kind()),
            )
            .value(other),
        };
        Err(fail.at(of.range.at))
    }

    /// Runs `step` with the item bound.
    fn with<T>(&mut self, item: Val<'a>, step: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.fuel.spend(1)?;
        self.locals.push(item);
        let result = step(self);
        self.locals.pop();
        result
    }

    /// Whether any item is `decisive`; as with `||`, one that decides wins over those that fail.
    fn any(&mut self, of: &'a Loop, items: &List<'a>, decisive: bool) -> Outcome<Val<'a>> {
        let mut failed = None;
        for item in items.iter() {
            match self.with(item, |eval| eval.truth(&of.body)) {
                Ok(flag) if flag == decisive => return Ok(Val::Bool(decisive)),
                Ok(_) => {}
                Err(fail) if fail.code.ends_evaluation() => return Err(fail),
                Err(fail) => failed = failed.or(Some(fail)),
            }
        }
        failed.map_or(Ok(Val::Bool(!decisive)), Err)
    }

    fn one(&mut self, of: &'a Loop, items: &List<'a>) -> Outcome<Val<'a>> {
        let mut count = 0;
        for item in items.iter() {
            count += u32::from(self.with(item, |eval| eval.truth(&of.body))?);
        }
        Ok(Val::Bool(count == 1))
    }

    fn mapped(&mut self, of: &'a Loop, items: &List<'a>) -> Outcome<Val<'a>> {
        let mut made = Vec::new();
        for item in items.iter() {
            let value = self.with(item, |eval| match &of.filter {
                Some(filter) if !eval.truth(filter)? => Ok(None),
                Some(_) | None => eval.value(&of.body).map(Some),
            })?;
            made.extend(value);
        }
        Ok(Val::list(made))
    }

    fn filtered(&mut self, of: &'a Loop, items: &List<'a>) -> Outcome<Val<'a>> {
        let mut kept = Vec::new();
        for item in items.iter() {
            if self.with(item.clone(), |eval| eval.truth(&of.body))? {
                kept.push(item);
            }
        }
        Ok(Val::list(kept))
    }
}
