//! Takes our credentials out of what comes back, in every form in which they were sent.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use port::{Fault, Metadata, Reply};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::form_urlencoded;

use super::address::segment;

/// What stands in place of a credential.
const MASK: &str = "[secret]";
/// A shorter secret would be found in texts that have nothing to do with it.
const SHORTEST: usize = 4;
/// The same within bytes, where everything occurs.
const IN_BYTES: usize = 8;

/// The forms of one system's credentials, the longest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scrubber(Vec<SecretString>);

impl Scrubber {
    /// Knows each text as it is, in base64 of both alphabets, and percent-encoded as a query and as a path have it.
    pub(crate) fn of(secrets: &[&str]) -> Self {
        let mut forms: Vec<String> = secrets.iter().flat_map(|secret| forms(secret)).collect();
        forms.retain(|form| form.len() >= SHORTEST);
        forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        forms.dedup();
        Self(forms.into_iter().map(SecretString::from).collect())
    }

    /// The text without them.
    pub(crate) fn text(&self, text: String) -> String {
        self.0.iter().fold(text, |text, form| match text.contains(form.expose_secret()) {
            true => text.replace(form.expose_secret(), MASK),
            false => text,
        })
    }

    /// The fault without them, in all its words.
    pub(crate) fn fault(&self, mut fault: Fault) -> Fault {
        fault.context = fault.context.into_iter().map(|(field, value)| (field, self.text(value))).collect();
        fault
    }

    /// The reply without them, in every text, name and number.
    pub(crate) fn reply(&self, mut reply: Reply) -> Reply {
        if !self.0.is_empty() {
            reply.output = self.value(reply.output);
            reply = self.metadata(reply);
        }
        reply
    }

    /// The reply without them in what the protocol said; its output was looked through as bytes.
    pub(crate) fn metadata(&self, mut reply: Reply) -> Reply {
        let said = reply.metadata.iter().map(|(name, text)| (name.to_owned(), self.text(text.to_owned())));
        reply.metadata = Metadata::new(said);
        reply
    }

    /// Whether they are in bytes, of which nothing can be taken out. The shortest would be found there by chance.
    pub(crate) fn is_in_bytes(&self, bytes: &[u8]) -> bool {
        let long =
            self.0.iter().map(|form| form.expose_secret().as_bytes()).filter(|form| form.len() >= IN_BYTES);
        long.into_iter().any(|form| memchr::memmem::find(bytes, form).is_some())
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Number(number) if self.is_in(number.as_str()) => {
                Value::String(self.text(number.to_string()))
            }
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                map.into_iter().map(|(name, value)| (self.text(name), self.value(value))).collect()
            }
            other => other,
        }
    }

    fn is_in(&self, text: &str) -> bool {
        self.0.iter().any(|form| text.contains(form.expose_secret()))
    }
}

fn forms(secret: &str) -> [String; 5] {
    let mut path = String::new();
    segment(secret, &mut path);
    // Without padding: it is found in padded text as well.
    [
        secret.to_owned(),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        path,
    ]
}

#[cfg(test)]
mod tests {
    use port::{Kind, Landed};
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_is_taken_out_of_every_place() {
        let scrubber = Scrubber::of(&["pass word/42?", "u:pass word/42?"]);
        for echo in [
            "you sent pass word/42? to us",
            "Basic dTpwYXNzIHdvcmQvNDI/",
            "Basic dTpwYXNzIHdvcmQvNDI_",
            "cGFzcyB3b3JkLzQyPw==",
            "?key=pass+word%2F42%3F&x=1",
            "/pass%20word%2F42%3F/x",
        ] {
            let told = scrubber.text(echo.to_owned());
            assert!(told.contains(MASK), "{echo}: {told}");
            assert!(!told.contains("pass") && !told.contains("dTpw") && !told.contains("cGFz"), "{told}");
        }
        let fault = Fault::new(Kind::Refused, Landed::No, "no").with("answer", "pass word/42?");
        assert_eq!(scrubber.fault(fault).context, [("answer", MASK.to_owned())]);
    }

    #[test]
    fn names_and_numbers_are_looked_at_too_and_the_rest_is_left_alone() {
        let scrubber = Scrubber::of(&["1234567"]);
        let output = json!({ "a": [1234567, 12.5, true, null, "x1234567y"], "1234567": { "n": 123456 } });
        let reply = scrubber.reply(Reply { output, ..Reply::default() });
        let told = json!({ "a": ["[secret]", 12.5, true, null, "x[secret]y"], "[secret]": { "n": 123456 } });
        assert_eq!(reply.output, told);
        assert_eq!(Scrubber::of(&["abc"]).text("abc".to_owned()), "abc");
    }
}
