//! A strict reader of JSON (RFC 8259) under the same limits as XML: depth, number of values, length of each.
//!
//! Must never choose between two members of one name, and never turn a number into a float: a repeated name is refused
//! and a number stays the text that it was. Like [`super::tree`], it remembers what was read.

use std::cell::Cell;

use super::envelope::Envelope;
use super::error::{DocumentError, Excerpt};
use super::tree::Rest;
use super::{MAX_DEPTH, MAX_NODES, MAX_VALUE_BYTES};

/// A value.
#[derive(Debug)]
pub struct Json {
    /// What it is.
    pub shape: Shape,
    read: Cell<bool>,
}

/// What a value is.
#[derive(Debug, PartialEq, Eq)]
pub enum Shape {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number as written.
    Number(String),
    /// A text, with nothing collapsed.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// Members in the order of the document, each name once.
    Object(Vec<(String, Json)>),
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape
    }
}

impl Eq for Json {}

impl Json {
    /// Reads one value that is the whole of `text`.
    ///
    /// # Errors
    /// `MalformedJson`, `Truncated`, `DuplicateName`, `LimitExceeded`.
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        let mut parser = Parser { text, place: 0, depth: 0, left: MAX_NODES };
        let value = parser.value()?;
        parser.space();
        match parser.peek() {
            None => Ok(value),
            Some(_) => Err(parser.malformed("something follows the end of the document")),
        }
    }

    /// The member of that name; nothing for `null` and for what is no object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Shape::Object(members) = &self.shape else { return None };
        members.iter().find(|(held, _)| held == name).map(|(_, value)| value).filter(|value| value.shape != Shape::Null)
    }

    /// The value at the path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| value.get(name))
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Self] {
        if let Shape::List(items) = &self.shape { items } else { &[] }
    }

    /// Its text, or its number or flag as written, marked as read. Nothing for an empty text, a list or an object.
    /// Outer white space is gone.
    ///
    /// # Errors
    /// `LimitExceeded` if it is longer than a value may be.
    pub fn text(&self) -> Result<Option<String>, DocumentError> {
        let text = match &self.shape {
            Shape::Text(text) | Shape::Number(text) => text.trim(),
            Shape::Flag(flag) => {
                if *flag {
                    "true"
                } else {
                    "false"
                }
            }
            Shape::Null | Shape::List(_) | Shape::Object(_) => return Ok(None),
        };
        self.read.set(true);
        if text.len() > MAX_VALUE_BYTES {
            return Err(DocumentError::LimitExceeded { what: "bytes in one value", limit: MAX_VALUE_BYTES });
        }
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    /// Its text as it stands, of any length, marked as read: for clauses and signed contents, which are longer than a
    /// value may be.
    pub fn long_text(&self) -> Option<&str> {
        let Shape::Text(text) = &self.shape else { return None };
        self.read.set(true);
        Some(text)
    }

    /// The text at the path.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn value(&self, path: &[&str]) -> Result<Option<String>, DocumentError> {
        self.at(path).map_or(Ok(None), Self::text)
    }

    /// Marks it and all in it as read.
    pub fn take_all(&self) {
        self.read.set(true);
        match &self.shape {
            Shape::List(items) => items.iter().for_each(Self::take_all),
            Shape::Object(members) => members.iter().for_each(|(_, value)| value.take_all()),
            _ => {}
        }
    }

    /// A copy in which each text is what `change` makes of it.
    ///
    /// # Errors
    /// Those of `change`.
    pub fn with_texts(
        &self,
        change: &impl Fn(&Self, &str) -> Result<Shape, DocumentError>,
    ) -> Result<Self, DocumentError> {
        let shape = match &self.shape {
            Shape::Null => Shape::Null,
            Shape::Flag(flag) => Shape::Flag(*flag),
            Shape::Number(text) => Shape::Number(text.clone()),
            Shape::Text(text) => change(self, text)?,
            Shape::List(items) => {
                Shape::List(items.iter().map(|item| item.with_texts(change)).collect::<Result<_, _>>()?)
            }
            Shape::Object(members) => Shape::Object(
                members.iter().map(|(name, value)| Ok((name.clone(), value.with_texts(change)?))).collect::<Result<
                    _,
                    DocumentError,
                >>(
                )?,
            ),
        };
        Ok(Self { shape, read: Cell::new(false) })
    }

    /// Marks as read what was read of a copy.
    pub fn mark_as(&self, copy: &Self) {
        if copy.read.get() {
            self.read.set(true);
        }
        match (&self.shape, &copy.shape) {
            (Shape::List(ours), Shape::List(theirs)) => {
                ours.iter().zip(theirs).for_each(|(ours, theirs)| ours.mark_as(theirs));
            }
            (Shape::Object(ours), Shape::Object(theirs)) => {
                ours.iter().zip(theirs).for_each(|((_, ours), (_, theirs))| ours.mark_as(theirs));
            }
            _ => {}
        }
    }

    /// Adds to `envelope` what is left when its reader is done: the hash of what was not read, and a warning for each
    /// placeholder.
    pub fn settle(&self, envelope: &mut Envelope) {
        let mut rest = Rest::default();
        self.collect(&mut String::new(), "", &mut rest);
        rest.settle(envelope);
    }

    /// A text keeps a quote before it in the hash, so that `"1"` and `1` differ. Empty lists and objects and `null` are
    /// no values.
    fn collect(&self, path: &mut String, name: &str, rest: &mut Rest) {
        let read = self.read.get();
        match &self.shape {
            Shape::Null => {}
            Shape::Flag(flag) => rest.value(path, name, if *flag { "true" } else { "false" }, read),
            Shape::Number(text) => rest.value(path, name, text, read),
            Shape::Text(text) => rest.text(path, name, text, read),
            Shape::List(items) => items.iter().for_each(|item| item.collect(path, name, rest)),
            Shape::Object(members) => {
                for (name, value) in members {
                    let outside = path.len();
                    path.extend(["/", name]);
                    value.collect(path, name, rest);
                    path.truncate(outside);
                }
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    place: usize,
    depth: usize,
    left: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.place).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.place += 1;
        }
    }

    /// Passes over `expected`, which must come next.
    fn expect(&mut self, expected: u8) -> Result<(), DocumentError> {
        self.space();
        match self.peek() {
            Some(found) if found == expected => {
                self.place += 1;
                Ok(())
            }
            Some(_) => Err(self.malformed(&format!("{:?} is expected", char::from(expected)))),
            None => Err(DocumentError::Truncated),
        }
    }

    /// Whether `expected` comes next; passes over it if so.
    fn take(&mut self, expected: u8) -> bool {
        self.space();
        let found = self.peek() == Some(expected);
        self.place += usize::from(found);
        found
    }

    fn value(&mut self) -> Result<Json, DocumentError> {
        self.left =
            self.left.checked_sub(1).ok_or(DocumentError::LimitExceeded { what: "values", limit: MAX_NODES })?;
        self.space();
        let shape = match self.peek() {
            None => return Err(DocumentError::Truncated),
            Some(b'{') => self.object()?,
            Some(b'[') => self.list()?,
            Some(b'"') => Shape::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Shape::Number(self.number()?),
            Some(_) => self.word()?,
        };
        Ok(Json { shape, read: Cell::new(false) })
    }

    fn deeper(&mut self) -> Result<(), DocumentError> {
        if self.depth == MAX_DEPTH {
            return Err(DocumentError::LimitExceeded { what: "levels of values", limit: MAX_DEPTH });
        }
        self.depth += 1;
        self.place += 1;
        Ok(())
    }

    fn object(&mut self) -> Result<Shape, DocumentError> {
        self.deeper()?;
        let mut members: Vec<(String, Json)> = Vec::new();
        if !self.take(b'}') {
            loop {
                self.space();
                match self.peek() {
                    Some(b'"') => {}
                    Some(_) => return Err(self.malformed("a name in quotes is expected")),
                    None => return Err(DocumentError::Truncated),
                }
                let name = self.string()?;
                self.expect(b':')?;
                members.push((name, self.value()?));
                if !self.take(b',') {
                    break;
                }
            }
            self.expect(b'}')?;
        }
        self.depth -= 1;
        unique(&members)?;
        Ok(Shape::Object(members))
    }

    fn list(&mut self) -> Result<Shape, DocumentError> {
        self.deeper()?;
        let mut items = Vec::new();
        if !self.take(b']') {
            loop {
                items.push(self.value()?);
                if !self.take(b',') {
                    break;
                }
            }
            self.expect(b']')?;
        }
        self.depth -= 1;
        Ok(Shape::List(items))
    }

    fn word(&mut self) -> Result<Shape, DocumentError> {
        let rest = &self.text[self.place..];
        for (word, shape) in [("null", Shape::Null), ("true", Shape::Flag(true)), ("false", Shape::Flag(false))] {
            if rest.starts_with(word) {
                self.place += word.len();
                return Ok(shape);
            }
            if word.starts_with(rest) {
                return Err(DocumentError::Truncated);
            }
        }
        let bare: String = rest.chars().take_while(|next| next.is_alphanumeric() || *next == '_').take(40).collect();
        if bare.is_empty() {
            return Err(self.malformed("a value is expected"));
        }
        Err(self.malformed(&format!(
            "a value is expected and {bare} has no quotes, as in a template that was not filled in"
        )))
    }

    fn number(&mut self) -> Result<String, DocumentError> {
        let start = self.place;
        self.place += usize::from(self.peek() == Some(b'-'));
        let whole = self.digits()?;
        if whole > 1 && self.text.as_bytes()[self.place - whole] == b'0' {
            return Err(self.malformed("a number begins with 0"));
        }
        if self.peek() == Some(b'.') {
            self.place += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.place += 1;
            self.place += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(self.text[start..self.place].to_owned())
    }

    /// Passes over one digit or more, and says how many.
    fn digits(&mut self) -> Result<usize, DocumentError> {
        let start = self.place;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.place += 1;
        }
        match (self.place - start, self.peek()) {
            (0, None) => Err(DocumentError::Truncated),
            (0, Some(_)) => Err(self.malformed("a digit is expected")),
            (count, _) => Ok(count),
        }
    }

    fn string(&mut self) -> Result<String, DocumentError> {
        self.place += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.place..];
            let end = rest.find(['"', '\\']).ok_or(DocumentError::Truncated)?;
            let plain = &rest[..end];
            if let Some(offset) = plain.find(|character: char| character < ' ') {
                self.place += offset;
                return Err(self.malformed("a control character stands in a text"));
            }
            text.push_str(plain);
            self.place += end + 1;
            if rest.as_bytes()[end] == b'"' {
                return Ok(text);
            }
            text.push(self.escaped()?);
        }
    }

    /// The character that the escape behind a backslash stands for.
    fn escaped(&mut self) -> Result<char, DocumentError> {
        let letter = self.peek().ok_or(DocumentError::Truncated)?;
        self.place += 1;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return Err(self.malformed("an unknown escape stands in a text")),
        })
    }

    fn code_point(&mut self) -> Result<char, DocumentError> {
        let high = self.unit()?;
        let code = match high {
            0xd800..=0xdbff => {
                for expected in *b"\\u" {
                    match self.peek() {
                        Some(found) if found == expected => self.place += 1,
                        Some(_) => return Err(self.malformed("half of a character stands in a text")),
                        None => return Err(DocumentError::Truncated),
                    }
                }
                match self.unit()? {
                    low @ 0xdc00..=0xdfff => 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                    _ => return Err(self.malformed("half of a character stands in a text")),
                }
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.malformed("half of a character stands in a text"))
    }

    fn unit(&mut self) -> Result<u32, DocumentError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().ok_or(DocumentError::Truncated)?;
            let digit = char::from(digit).to_digit(16).ok_or_else(|| self.malformed("a hex digit is expected"))?;
            unit = unit * 16 + digit;
            self.place += 1;
        }
        Ok(unit)
    }

    fn malformed(&self, reason: &str) -> DocumentError {
        DocumentError::MalformedJson { offset: self.place, reason: reason.to_owned() }
    }
}

/// Refuses a name that occurs twice.
fn unique(members: &[(String, Json)]) -> Result<(), DocumentError> {
    let mut names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(DocumentError::DuplicateName { name: Excerpt::of(pair[0]) }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Json::read(text).map(|_| "ok").unwrap_or_else(|error| error.code())
    }

    #[test]
    fn numbers_stay_as_they_were_written() {
        let read =
            Json::read(r#"{"a": 1.10, "b": -0, "c": 1E+400, "d": 123456789012345678901234567890}"#).expect("JSON");
        for (name, written) in [("a", "1.10"), ("b", "-0"), ("c", "1E+400"), ("d", "123456789012345678901234567890")] {
            assert_eq!(read.value(&[name]), Ok(Some(written.to_owned())), "{name}");
        }
    }

    #[test]
    fn texts_are_read_with_their_escapes() {
        let read = Json::read(r#" ["\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00", "円", ""] "#).expect("JSON");
        let texts: Vec<_> = read.items().iter().map(|item| &item.shape).collect();
        let expected = ["\"\\/\u{8}\u{c}\n\r\tä😀", "円", ""].map(|text| Shape::Text(text.to_owned()));
        assert_eq!(texts, expected.iter().collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_json_is_refused_by_name() {
        for (text, expected) in [
            ("{} {}", "malformed_json"),
            ("{a: 1}", "malformed_json"),
            ("{\"a\" 1}", "malformed_json"),
            ("{\"a\": 1,}", "malformed_json"),
            ("[1,]", "malformed_json"),
            ("[1 2]", "malformed_json"),
            ("[01]", "malformed_json"),
            ("[+1]", "malformed_json"),
            ("[1.]", "malformed_json"),
            ("[.5]", "malformed_json"),
            ("[1e]", "malformed_json"),
            ("[NaN]", "malformed_json"),
            ("[nul]", "malformed_json"),
            ("[\"\u{1}\"]", "malformed_json"),
            ("[\"\n\"]", "malformed_json"),
            (r#"["\x"]"#, "malformed_json"),
            (r#"["\ud800"]"#, "malformed_json"),
            (r#"["\ud800\u0041"]"#, "malformed_json"),
            (r#"["\udc00"]"#, "malformed_json"),
            (r#"["\u12g4"]"#, "malformed_json"),
            ("[1", "truncated_document"),
            ("[1,", "truncated_document"),
            ("{\"a\"", "truncated_document"),
            ("{\"a\":", "truncated_document"),
            ("{\"a", "truncated_document"),
            ("{", "truncated_document"),
            ("[tr", "truncated_document"),
            ("[-", "truncated_document"),
            (r#"["\"#, "truncated_document"),
            (r#"["\u00"#, "truncated_document"),
            (r#"{"a": 1, "b": 2, "a": 1}"#, "duplicate_name"),
            (r#"[{"x": {"a": 1, "\u0061": 1}}]"#, "duplicate_name"),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn limits_hold_on_depth_and_on_the_length_of_a_value() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(code(&nested(MAX_DEPTH)), "ok");
        assert_eq!(code(&nested(MAX_DEPTH + 1)), "limit_exceeded");
        assert_eq!(code(&"[".repeat(1_000_000)), "limit_exceeded");
        assert_eq!(code(&format!("[{}1]", "1,".repeat(MAX_NODES))), "limit_exceeded");
        let long = Json::read(&format!("{{\"a\": \"{}\"}}", "x".repeat(MAX_VALUE_BYTES + 1))).expect("JSON");
        assert_eq!(long.value(&["a"]).map_err(|error| error.code()), Err("limit_exceeded"));
    }

    #[test]
    fn what_no_reader_took_is_kept_by_hash_and_null_is_nothing() {
        let unknown = |text: &str| {
            let read = Json::read(text).expect("JSON");
            assert_eq!(read.value(&["known"]), Ok(Some("1".to_owned())));
            let mut envelope = Envelope::new("dcsa", "test");
            read.settle(&mut envelope);
            envelope.unknown
        };
        assert_eq!(unknown(r#"{"known": 1, "none": null, "empty": []}"#), None);
        let one = unknown(r#"{"known": 1, "more": {"a": 1}}"#).expect("one field");
        assert_eq!(one.fields, 1);
        assert_eq!(unknown(r#"{"more": {"a": 1}, "known": "1"}"#), Some(one.clone()));
        for other in [r#"{"known": 1, "more": {"a": "1"}}"#, r#"{"known": 1, "more": {"b": 1}}"#] {
            assert_ne!(unknown(other), Some(one.clone()), "{other}");
        }
    }
}
