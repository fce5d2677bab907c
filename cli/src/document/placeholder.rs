//! Places left open in a template, such as `{{id}}`, `${number}`, `<Invoice ID1>` or `REFERENCE_PLACEHOLDER`.

/// Whether `text` leaves a place open for somebody to fill in. A value that merely holds a bracket is none.
pub fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    braces(text, "{{", "}}")
        || braces(text, "${", "}")
        || braces(text, "{%", "%}")
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
    use super::is_placeholder;

    #[test]
    fn open_places_are_found_in_the_forms_that_templates_use() {
        for text in [
            "{{id}}",
            "TX-{{ loop.index }}",
            "{{tx.amount}}",
            "${number}",
            "{% raw %}",
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
}
