//! From tokens to the syntax tree, by recursive descent with operator levels.

use super::token::{Kind, Token, tokens};
use super::{Binary, Form, Syntax};
use crate::code::Code;
use crate::fail::{Fail, Outcome};
use crate::limits::{NESTING, SOURCE_BYTES};
use crate::number::Number;
use crate::tree::At;

/// The syntax tree of a text; the failure is the first mistake.
pub(crate) fn parse(text: &str) -> Outcome<Syntax> {
    if text.len() > SOURCE_BYTES {
        let message = format!("an expression may have {SOURCE_BYTES} bytes, this one has {}", text.len());
        return Err(Fail::new(Code::SourceLimit, message));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    if parser.tokens.len() == 1 {
        return Err(Fail::new(Code::Syntax, "the expression is empty"));
    }
    let tree = parser.expr()?;
    match parser.peek() {
        Kind::End => Ok(tree),
        _ => Err(parser.unexpected()),
    }
}

/// Words that CEL keeps for itself.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

struct Parser<'s> {
    tokens: Vec<Token<'s>>,
    next: usize,
    depth: usize,
}

impl<'s> Parser<'s> {
    /// The next token; the last one is `End` and is never passed.
    fn token(&self) -> &Token<'s> {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &Kind<'s> {
        &self.token().kind
    }

    fn at(&self) -> At {
        self.token().at
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Kind::Sign(next) if *next == sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Outcome<()> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Box<Fail> {
        let word = match self.peek() {
            Kind::End => return Fail::new(Code::Syntax, "the expression ends too early").at(self.at()),
            Kind::Name(word) | Kind::Sign(word) => format!("unexpected `{word}`"),
            Kind::Quoted(_) => "unexpected name in backticks".to_owned(),
            Kind::Number(_) => "unexpected number".to_owned(),
            Kind::Least => "the number is too large".to_owned(),
            Kind::Text(_) | Kind::Bytes => "unexpected text".to_owned(),
        };
        let fail = Fail::new(Code::Syntax, word).at(self.at());
        match self.peek() {
            Kind::Name("and") => fail.help("write `&&`"),
            Kind::Name("or") => fail.help("write `||`"),
            Kind::Name("is") => fail.help("write `==`"),
            _ => fail,
        }
    }

    /// `a ? b : c`, and whatever stands in brackets.
    fn expr(&mut self) -> Outcome<Syntax> {
        self.depth += 1;
        if self.depth > NESTING {
            let message = format!("the expression is nested too deeply: it may be {NESTING} deep");
            return Err(Fail::new(Code::SourceLimit, message).at(self.at()));
        }
        let tree = self.choice();
        self.depth -= 1;
        tree
    }

    fn choice(&mut self) -> Outcome<Syntax> {
        let condition = self.binary(1)?;
        let at = self.at();
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.binary(1)?;
        self.expect(":")?;
        let no = self.expr()?;
        Ok(Syntax { form: Form::If(Box::new(condition), Box::new(yes), Box::new(no)), at })
    }

    /// Operators that bind at least as tightly as `level`.
    fn binary(&mut self, level: u8) -> Outcome<Syntax> {
        let mut left = self.unary()?;
        while let Kind::Sign(sign) = self.peek()
            && let Some(operator) = Binary::of(sign)
            && operator.level() >= level
        {
            let at = self.at();
            self.next += 1;
            let right = self.binary(operator.level() + 1)?;
            left = Syntax { form: Form::Binary(operator, Box::new(left), Box::new(right)), at };
        }
        Ok(left)
    }

    /// A row of `!` or a row of `-`, then a member. A minus before a number belongs to the number.
    fn unary(&mut self) -> Outcome<Syntax> {
        let start = self.next;
        let sign = if self.take("!") { "!" } else { "-" };
        while self.take(sign) {}
        let mut signs = self.next - start;
        if sign == "-" && signs > 0 && self.is_number() {
            self.next -= 1;
            signs -= 1;
        }
        let mut tree = self.member()?;
        for index in (start..start + signs).rev() {
            let wrap = if sign == "!" { Form::Not } else { Form::Negate };
            tree = Syntax { form: wrap(Box::new(tree)), at: self.tokens[index].at };
        }
        Ok(tree)
    }

    fn is_number(&self) -> bool {
        matches!(self.peek(), Kind::Number(_) | Kind::Least)
    }

    /// A primary with fields, calls and indexes after it.
    fn member(&mut self) -> Outcome<Syntax> {
        let mut tree = self.primary()?;
        loop {
            let at = self.at();
            if self.take(".") {
                tree = self.field(tree)?;
            } else if self.take("[") {
                let index = self.expr()?;
                self.expect("]")?;
                tree = Syntax { form: Form::Index(Box::new(tree), Box::new(index)), at };
            } else if is_name(&tree) && self.take("{") {
                return Err(Fail::new(Code::Unsupported, "there are no messages").at(at));
            } else {
                return Ok(tree);
            }
        }
    }

    fn field(&mut self, of: Syntax) -> Outcome<Syntax> {
        let at = self.at();
        let (name, call) = match *self.peek() {
            Kind::Name(name) => (name.to_owned(), true),
            Kind::Quoted(name) => (name.to_owned(), false),
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        if call && self.take("(") {
            let args = self.list(")")?;
            return Ok(Syntax { form: Form::Call { target: Some(Box::new(of)), name, args }, at });
        }
        Ok(Syntax { form: Form::Select(Box::new(of), name), at })
    }

    fn primary(&mut self) -> Outcome<Syntax> {
        let at = self.at();
        let form = match self.peek().clone() {
            Kind::Number(number) => Form::Number(number),
            Kind::Text(text) => Form::Text(text),
            Kind::Bytes => Form::Bytes,
            Kind::Name(name) => return self.name(name),
            Kind::Sign("true") => Form::Bool(true),
            Kind::Sign("false") => Form::Bool(false),
            Kind::Sign("null") => Form::Null,
            Kind::Sign(sign @ ("(" | "[" | "{" | "-" | ".")) => {
                self.next += 1;
                return self.opened(sign, at);
            }
            Kind::Sign(_) | Kind::Quoted(_) | Kind::Least | Kind::End => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(Syntax { form, at })
    }

    fn opened(&mut self, sign: &str, at: At) -> Outcome<Syntax> {
        let form = match sign {
            "(" => {
                let inner = self.expr()?;
                self.expect(")")?;
                return Ok(inner);
            }
            "[" => Form::List(self.list("]")?),
            "{" => Form::Map(self.entries()?),
            "-" => return self.negative(at),
            _ => match *self.peek() {
                Kind::Name(name) => return self.name(name),
                _ => return Err(self.unexpected()),
            },
        };
        Ok(Syntax { form, at })
    }

    fn negative(&mut self, at: At) -> Outcome<Syntax> {
        let number = match self.peek() {
            Kind::Number(number) => number.negate()?,
            Kind::Least => Number::Int(i64::MIN),
            _ => return Err(self.unexpected()),
        };
        let end = self.at().end;
        self.next += 1;
        Ok(Syntax { form: Form::Number(number), at: At { start: at.start, end } })
    }

    fn name(&mut self, name: &str) -> Outcome<Syntax> {
        let at = self.at();
        if RESERVED.contains(&name) {
            return Err(Fail::new(Code::Syntax, format!("`{name}` is a reserved word")).at(at));
        }
        self.next += 1;
        let name = name.to_owned();
        let form = match self.take("(") {
            true => Form::Call { target: None, name, args: self.list(")")? },
            false => Form::Name(name),
        };
        Ok(Syntax { form, at })
    }

    /// Whether nothing but the closing bracket follows; `[,]` is empty too.
    fn is_empty(&mut self, close: &str) -> Outcome<bool> {
        if close != ")" && self.take(",") {
            self.expect(close)?;
            return Ok(true);
        }
        Ok(self.take(close))
    }

    /// Expressions between commas. A list may end with a comma, arguments may not.
    fn list(&mut self, close: &str) -> Outcome<Vec<Syntax>> {
        let mut items = Vec::new();
        if self.is_empty(close)? {
            return Ok(items);
        }
        while !self.take(close) {
            items.push(self.expr()?);
            if !self.take(",") {
                self.expect(close)?;
                break;
            }
            if close == ")" && matches!(self.peek(), Kind::Sign(")")) {
                return Err(self.unexpected());
            }
        }
        Ok(items)
    }

    fn entries(&mut self) -> Outcome<Vec<(Syntax, Syntax)>> {
        let mut entries = Vec::new();
        if self.is_empty("}")? {
            return Ok(entries);
        }
        while !self.take("}") {
            let key = self.expr()?;
            self.expect(":")?;
            entries.push((key, self.expr()?));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(entries)
    }
}

/// Whether the node could be the name of a message.
fn is_name(tree: &Syntax) -> bool {
    match &tree.form {
        Form::Name(_) => true,
        Form::Select(of, _) => is_name(of),
        _ => false,
    }
}
