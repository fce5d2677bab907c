//! Bytes to text: finds the encoding by byte order mark and XML declaration and decodes all of it, strictly.
//!
//! Must never replace a byte that it can't read: a name with a hole in it would be another name.

use std::borrow::Cow;

use super::error::{DocumentError, Excerpt};

/// How far into a document the XML declaration is looked for, in bytes.
const DECLARATION_REACH: usize = 1024;

/// The text of `bytes`, without byte order mark.
///
/// # Errors
/// `UnsupportedEncoding` and `InvalidEncoding`.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, DocumentError> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [b'<', 0, 0, 0, ..] | [0, 0, 0, b'<', ..] => {
            Err(DocumentError::UnsupportedEncoding { encoding: Excerpt::of("UTF-32") })
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest, 3),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes, 2),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes, 2),
        [b'<', 0, ..] => utf16(bytes, u16::from_le_bytes, 0),
        [0, b'<', ..] => utf16(bytes, u16::from_be_bytes, 0),
        _ => match declared_encoding(bytes) {
            Some(name) => declared(&name, bytes),
            None => utf8(bytes, 0),
        },
    }
}

/// Decodes by the declared name. A declaration that could be read byte by byte is not in UTF-16, whatever it says:
/// programs that keep text in UTF-16 write that name and then save as UTF-8.
fn declared<'a>(name: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, DocumentError> {
    match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" | "utf-16" | "utf-16le" | "utf-16be" => utf8(bytes, 0),
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" | "l1" => {
            Ok(Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()))
        }
        lowercase => match PAGES.iter().find(|page| page.labels.contains(&lowercase)) {
            Some(page) => page.decode(bytes),
            None => Err(DocumentError::UnsupportedEncoding { encoding: Excerpt::of(name) }),
        },
    }
}

/// The encoding that the XML declaration names, if there is one.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..DECLARATION_REACH).unwrap_or(bytes).trim_ascii_start();
    let declaration = head.strip_prefix(b"<?xml")?;
    let end = declaration.windows(2).position(|pair| pair == b"?>")?;
    let declaration: String = declaration[..end].iter().map(|byte| char::from(*byte)).collect();
    let (_, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split_once(quote).map(|(name, _)| name.trim().to_owned())
}

fn utf8(bytes: &[u8], before: usize) -> Result<Cow<'_, str>, DocumentError> {
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|error| DocumentError::InvalidEncoding { encoding: "UTF-8", offset: before + error.valid_up_to() })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, before: usize) -> Result<Cow<'static, str>, DocumentError> {
    let invalid = |offset| DocumentError::InvalidEncoding { encoding: "UTF-16", offset: before + offset };
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(invalid(bytes.len()));
    }
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut offset = 0;
    for character in char::decode_utf16(pairs.map(|pair| unit([pair[0], pair[1]]))) {
        let character = character.map_err(|_| invalid(offset))?;
        text.push(character);
        offset += 2 * character.len_utf16();
    }
    Ok(Cow::Owned(text))
}

/// An encoding of one byte a character whose lower half is ASCII.
struct Page {
    name: &'static str,
    /// Names in use for it, in small letters.
    labels: &'static [&'static str],
    /// The 128 characters of the upper half; U+FFFD where a byte has none.
    upper: &'static str,
}

impl Page {
    fn decode(&self, bytes: &[u8]) -> Result<Cow<'static, str>, DocumentError> {
        let upper: Vec<char> = self.upper.chars().collect();
        let character = |(offset, byte): (usize, &u8)| match usize::from(*byte).checked_sub(0x80) {
            None => Ok(char::from(*byte)),
            Some(index) => match upper.get(index) {
                Some(found) if *found != char::REPLACEMENT_CHARACTER => Ok(*found),
                _ => Err(DocumentError::InvalidEncoding { encoding: self.name, offset }),
            },
        };
        bytes.iter().enumerate().map(character).collect::<Result<String, _>>().map(Cow::Owned)
    }
}

#[rustfmt::skip]
static PAGES: [Page; 7] = [
    Page {
        name: "ISO-8859-2",
        labels: &["iso-8859-2", "latin2"],
        upper: concat!(
            "\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}",
            "\u{a0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{ad}ŽŻ°ą˛ł´ľśˇ¸šşťź˝žż",
            "ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß",
            "ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
        ),
    },
    Page {
        name: "ISO-8859-9",
        labels: &["iso-8859-9", "latin5"],
        upper: concat!(
            "\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}",
            "\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿",
            "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß",
            "àáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ",
        ),
    },
    Page {
        name: "ISO-8859-15",
        labels: &["iso-8859-15", "latin9", "latin-9"],
        upper: concat!(
            "\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}",
            "\u{a0}¡¢£€¥Š§š©ª«¬\u{ad}®¯°±²³Žµ¶·ž¹º»ŒœŸ¿",
            "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß",
            "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
        ),
    },
    Page {
        name: "windows-1250",
        labels: &["windows-1250", "cp1250"],
        upper: concat!(
            "€\u{fffd}‚\u{fffd}„…†‡\u{fffd}‰Š‹ŚŤŽŹ\u{fffd}‘’“”•–—\u{fffd}™š›śťžź",
            "\u{a0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{ad}®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľż",
            "ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß",
            "ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
        ),
    },
    Page {
        name: "windows-1251",
        labels: &["windows-1251", "cp1251"],
        upper: concat!(
            "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{fffd}™љ›њќћџ",
            "\u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕї",
            "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
            "абвгдежзийклмнопрстуфхцчшщъыьэюя",
        ),
    },
    Page {
        name: "windows-1252",
        labels: &["windows-1252", "cp1252"],
        upper: concat!(
            "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ",
            "\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿",
            "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß",
            "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
        ),
    },
    Page {
        name: "windows-1254",
        labels: &["windows-1254", "cp1254"],
        upper: concat!(
            "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}\u{fffd}\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}\u{fffd}Ÿ",
            "\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿",
            "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß",
            "àáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ",
        ),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bytes: &[u8]) -> &'static str {
        decode(bytes).map(|_| "ok").unwrap_or_else(|error| error.code())
    }

    #[test]
    fn every_page_has_a_character_or_a_hole_for_each_upper_byte() {
        for page in &PAGES {
            assert_eq!(page.upper.chars().count(), 128, "{}", page.name);
        }
    }

    #[test]
    fn a_declared_encoding_is_followed_whatever_its_case_and_quotes() {
        let umlaut = |label: &str, byte: u8| -> Vec<u8> {
            [format!("<?xml version='1.0'\n encoding = '{label}' ?><a>").as_bytes(), &[byte], b"</a>"].concat()
        };
        for (label, byte, character) in [
            ("ISO-8859-1", 0xe4, 'ä'),
            ("iso-8859-1", 0xa4, '¤'),
            ("ISO-8859-15", 0xa4, '€'),
            ("Windows-1252", 0x80, '€'),
            ("windows-1250", 0x9a, 'š'),
            ("iso-8859-2", 0xb9, 'š'),
            ("windows-1251", 0xc6, 'Ж'),
            ("windows-1254", 0xfe, 'ş'),
            ("iso-8859-9", 0xfe, 'ş'),
        ] {
            let text = umlaut(label, byte);
            let text = decode(&text).expect("decodes");
            assert!(text.contains(&format!("<a>{character}</a>")), "{label}: {text}");
        }
    }

    #[test]
    fn byte_order_marks_win_over_the_declaration() {
        let text = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>Größe 円 😀</a>";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat(),
            [b"\xff\xfe".as_slice(), &le].concat(),
            [b"\xfe\xff".as_slice(), &be].concat(),
            le.clone(),
            be.clone(),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn utf8_that_calls_itself_utf16_is_read_as_utf8() {
        let text = "<?xml version='1.0' encoding='utf-16'?><a>ä</a>";
        assert_eq!(decode(text.as_bytes()).as_deref(), Ok(text));
    }

    #[test]
    fn bytes_that_the_encoding_lacks_are_refused_never_replaced() {
        assert_eq!(code(b"<a>\xe4</a>"), "invalid_encoding");
        assert_eq!(code(b"\xff\xfe<\0a"), "invalid_encoding");
        assert_eq!(code(b"\xff\xfe\x00\xd8<\0"), "invalid_encoding");
        assert_eq!(code(b"<?xml version='1.0' encoding='windows-1252'?><a>\x81</a>"), "invalid_encoding");
        assert_eq!(decode(b"<a>\xe4</a>"), Err(DocumentError::InvalidEncoding { encoding: "UTF-8", offset: 3 }));
    }

    #[test]
    fn an_encoding_without_a_decoder_is_refused_by_name() {
        let error = decode(b"<?xml version='1.0' encoding='GB18030'?><a/>").expect_err("no decoder");
        assert_eq!(error.code(), "unsupported_encoding");
        assert!(error.to_string().contains("GB18030"));
        assert_eq!(code(b"\xff\xfe\0\0<\0\0\0"), "unsupported_encoding");
    }
}
