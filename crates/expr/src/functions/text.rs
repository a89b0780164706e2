//! Functions of text.

use super::{Args, Want, wrong};
use crate::code::Code;
use crate::fail::{Fail, Outcome};
use crate::limits::TEXT_BYTES;
use crate::value::Val;

pub(super) fn contains<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    two(args, |text, part| text.contains(part))
}

pub(super) fn starts_with<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    two(args, |text, part| text.starts_with(part))
}

pub(super) fn ends_with<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    two(args, |text, part| text.ends_with(part))
}

fn two<'a>(args: &mut Args<'_, 'a>, test: fn(&str, &str) -> bool) -> Outcome<Val<'a>> {
    args.text(0)?;
    let part = args.text(1)?.to_owned();
    Ok(Val::Bool(test(args.text(0)?, &part)))
}

pub(super) fn lower_ascii<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    Ok(Val::text(args.text(0)?.to_ascii_lowercase()))
}

pub(super) fn upper_ascii<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    Ok(Val::text(args.text(0)?.to_ascii_uppercase()))
}

pub(super) fn trim<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    Ok(Val::text(args.text(0)?.trim()))
}

pub(super) fn split<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    let separator = args.text(1)?.to_owned();
    if separator.is_empty() {
        return Err(Fail::new(Code::Conversion, "the separator of `split` is empty"));
    }
    let parts = args.text(0)?.matches(&separator).count() + 1;
    args.fuel.spend(parts)?;
    Ok(Val::list(args.text(0)?.split(&separator).map(Val::text).collect()))
}

pub(super) fn join<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    let separator = if args.values.len() > 1 { args.text(1)?.to_owned() } else { String::new() };
    let mut joined = String::new();
    for (index, item) in args.list(0)?.iter().enumerate() {
        let Val::Text(item) = &item else { return Err(wrong(Want::Text, &item)) };
        args.fuel.spend_text(separator.len() + item.len())?;
        check_length(joined.len() + separator.len() + item.len())?;
        if index > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(item);
    }
    Ok(Val::text(joined))
}

pub(super) fn replace<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    let (from, to) = (args.text(1)?.to_owned(), args.text(2)?.to_owned());
    if from.is_empty() {
        return Err(Fail::new(Code::Conversion, "the text that `replace` looks for is empty"));
    }
    let text = args.text(0)?;
    let found = text.matches(&from).count();
    let length = text.len() - found * from.len() + found * to.len();
    args.fuel.make_text(length)?;
    Ok(Val::text(args.text(0)?.replace(&from, &to)))
}

pub(super) fn string<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    match args.get(0) {
        Val::Text(text) => Ok(Val::Text(text.clone())),
        Val::Number(number) => Ok(Val::text(number.to_string())),
        Val::Bool(flag) => Ok(Val::text(flag.to_string())),
        other => Err(wrong(Want::Scalar, other)),
    }
}

pub(super) fn to_json<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    let mut room = 4 * TEXT_BYTES;
    let json = args.get(0).to_json_within(&mut room)?;
    args.fuel.spend_text(4 * TEXT_BYTES - room)?;
    let text = json.to_string();
    check_length(text.len())?;
    Ok(Val::text(text))
}

fn check_length(bytes: usize) -> Outcome<()> {
    if bytes <= TEXT_BYTES {
        return Ok(());
    }
    Err(Fail::new(Code::TooLarge, format!("a text may have {TEXT_BYTES} bytes")))
}
