//! What it costs to compile a pattern, told from its parsed form. Its length says little: a class of all letters that
//! ignores case is two dozen bytes and a million letters to look up.

use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    Ast, ClassBracketed, ClassSet, ClassSetBinaryOp, ClassSetItem, ClassSetRange, Flag, Flags, FlagsItemKind,
    GroupKind, Visitor, visit,
};

/// The most letters that are looked up while compiling: some milliseconds.
const LETTERS: u64 = 1 << 18;
/// Letters in a class with a name, such as `\p{L}`; most have fewer.
const NAMED: u64 = 150_000;
/// What a class with a name costs while case matters: its ranges are copied.
const COPIED: u64 = 1000;

/// Whether compiling costs little. What is no pattern costs nothing: it is refused for its form.
pub(super) fn is_bounded(spelled: &str) -> bool {
    let Ok(tree) = Parser::new().parse(spelled) else { return true };
    let cost = visit(&tree, Cost::default()).unwrap_or_else(|never| match never {});
    (if cost.ignores_case { cost.letters } else { cost.copied }) <= LETTERS
}

#[derive(Default)]
struct Cost {
    /// Whether case is ignored anywhere. It is then taken to be so everywhere.
    ignores_case: bool,
    letters: u64,
    copied: u64,
}

impl Cost {
    fn flags(&mut self, flags: &Flags) {
        let ignores = |kind: &FlagsItemKind| matches!(kind, FlagsItemKind::Flag(Flag::CaseInsensitive));
        self.ignores_case |= flags.items.iter().any(|item| ignores(&item.kind));
    }

    fn range(&mut self, range: &ClassSetRange) {
        let letters = u64::from(range.end.c).saturating_sub(u64::from(range.start.c)) + 1;
        self.letters += letters;
        self.copied += 1;
    }

    fn named(&mut self) {
        self.letters += NAMED;
        self.copied += COPIED;
    }
}

impl Visitor for Cost {
    type Output = Self;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self, Self::Err> {
        Ok(self)
    }

    fn visit_pre(&mut self, tree: &Ast) -> Result<(), Self::Err> {
        match tree {
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Group(group) => {
                if let GroupKind::NonCapturing(flags) = &group.kind {
                    self.flags(flags);
                }
            }
            Ast::ClassUnicode(_) => self.named(),
            Ast::ClassPerl(_) | Ast::Dot(_) => self.copied += 16,
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
        match item {
            ClassSetItem::Range(range) => self.range(range),
            ClassSetItem::Unicode(_) => self.named(),
            ClassSetItem::Bracketed(inner) => self.negated(inner),
            _ => self.copied += 16,
        }
        Ok(())
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), Self::Err> {
        self.copied += 16;
        Ok(())
    }
}

impl Cost {
    /// A class inside a class is made whole before the outer one ignores case.
    fn negated(&mut self, inner: &ClassBracketed) {
        if inner.negated && matches!(inner.kind, ClassSet::Item(_) | ClassSet::BinaryOp(_)) {
            self.letters += 0x11_0000;
        }
    }
}
