//! Places left open in a template, such as `{{id}}`, `${number}`, `{CBR}`, `<Invoice ID1>` or `REFERENCE_PLACEHOLDER`,
//! and values that only repeat their field's name in capitals.

/// Whether `text` leaves a place open for somebody to fill in. A value that merely holds a bracket is none.
pub fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    braces(text, "{{", "}}")
        || braces(text, "${", "}")
        || braces(text, "{%", "%}")
        || named(text)
        || angle(text)
        || shouted(text)
        || braces(text, "__", "__") && text.len() > 4 && text.bytes().all(is_shouted)
}

/// Whether the text holds `open`, something, `close`.
fn braces(text: &str, open: &str, close: &str) -> bool {
    let Some(start) = text.find(open) else { return false };
    let inside = &text[start + open.len()..];
    inside.find(close).is_some_and(|end| end > 0)
}

/// Whether the value of the field `name` is a placeholder: one of the forms above, or `CARRIER_PARTY_CODE` for
/// `partyCode`.
pub fn stands_for(name: &str, text: &str) -> bool {
    is_placeholder(text) || repeats(name, text.trim())
}

/// The field's own name in capitals, alone or behind other words. A name of one word is too common to tell.
fn repeats(name: &str, text: &str) -> bool {
    if !text.bytes().all(is_shouted) || !text.contains('_') {
        return false;
    }
    let mut shouted = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase()
            && shouted.ends_with(|last: char| last != '_')
            && !after_capital(name, &shouted)
        {
            shouted.push('_');
        }
        shouted.push(character.to_ascii_uppercase());
    }
    let Some(before) = text.strip_suffix(shouted.as_str()) else { return false };
    shouted.contains('_') && (before.is_empty() || before.ends_with('_'))
}

/// Whether the last letter of `name` that is in `shouted` was a capital too, as in `HSCode`.
fn after_capital(name: &str, shouted: &str) -> bool {
    let letters = shouted.bytes().filter(|byte| *byte != b'_').count();
    name.as_bytes().get(letters.wrapping_sub(1)).is_some_and(u8::is_ascii_uppercase)
}

/// `{CBR}` as the whole of a value: a name in braces, which no braced UUID is.
fn named(text: &str) -> bool {
    let inside = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| {
        inside.starts_with(|first: char| first.is_ascii_alphabetic())
            && inside.len() <= 80
            && inside.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// `<Name of it>` as the whole of a value.
fn angle(text: &str) -> bool {
    let inside = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    inside.is_some_and(|inside| {
        inside.starts_with(|first: char| first.is_alphabetic())
            && !inside.contains(['<', '>', '/', '='])
            && inside.chars().count() <= 80
    })
}

/// `BOOKING_REFERENCE_PLACEHOLDER`, in capitals, as the whole of a value.
fn shouted(text: &str) -> bool {
    text.bytes().all(is_shouted) && (text == "PLACEHOLDER" || text.ends_with("_PLACEHOLDER"))
}

fn is_shouted(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::{is_placeholder, stands_for};

    #[test]
    fn open_places_are_found_in_the_forms_that_templates_use() {
        for text in [
            "{{id}}",
            "TX-{{ loop.index }}",
            "{{tx.amount}}",
            "${number}",
            "{% raw %}",
            "{CBR}",
            "{booking_reference}",
            "<Invoice ID1>",
            "<Date 1>",
            "REFERENCE_PLACEHOLDER",
            "PLACEHOLDER",
            "__NUMBER__",
            " {{date}}\n",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn ordinary_values_are_no_open_places() {
        for text in [
            "",
            "INV-7",
            "{}",
            "{{}}",
            "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}",
            "{a b}",
            "{7}",
            "}}{{",
            "a < b > c",
            "<p>text</p>",
            "<br/>",
            "<a href=x>",
            "The PLACEHOLDER Ltd",
            "____",
            "__init__",
            "100 %",
            "$5 {net}",
            "<",
            ">",
            "<>",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn a_value_that_repeats_its_fields_name_is_an_open_place() {
        for (name, text) in [
            ("transportDocumentReference", "TRANSPORT_DOCUMENT_REFERENCE"),
            ("reasonCode", "REASON_CODE"),
            ("codeListProvider", "SHIPPER_CODE_LIST_PROVIDER"),
            ("HSCodes", "HSCODES_PLACEHOLDER"),
        ] {
            assert!(stands_for(name, text), "{name}: {text}");
        }
        for (name, text) in [
            ("reasonCode", "reason_code"),
            ("name", "COMPANY_NAME"),
            ("reasonCode", "OTHERREASON_CODE"),
            ("reasonCode", "REASON_CODES"),
            ("partyCode", "MSK"),
            ("code", "INFORMATIONAL_MESSAGE"),
        ] {
            assert!(!stands_for(name, text), "{name}: {text}");
        }
    }
}
