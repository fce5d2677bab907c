//! GS1 keys as constrained canonical digital links: EPC URIs, class and pattern URIs (Tag Data Standard) and digital
//! links of any domain become `https://id.gs1.org/…` with the finest level of identification alone.
//!
//! What has not exactly the form of its scheme stays as it is: nothing is repaired here.

const HOME: &str = "https://id.gs1.org";

/// The canonical link for a text that conveys a GS1 key; nothing for any other.
pub fn canonical(uri: &str) -> Option<String> {
    if let Some(rest) = uri.strip_prefix("urn:epc:id:") {
        return epc(rest);
    }
    if let Some(rest) = uri.strip_prefix("urn:epc:class:lgtin:") {
        let (gtin, lot) = gtin(rest)?;
        return Some(format!("{HOME}/01/{gtin}/10/{}", escaped(serial(lot, 20)?)));
    }
    if let Some(rest) = uri.strip_prefix("urn:epc:idpat:") {
        return pattern(rest);
    }
    let has_scheme = uri.starts_with("https://") || uri.starts_with("http://");
    if has_scheme { link(uri) } else { None }
}

// ---- EPC URIs ------------------------------------------------------------------------------------------------------

fn epc(rest: &str) -> Option<String> {
    let (scheme, rest) = rest.split_once(':')?;
    let path = match scheme {
        "sgtin" => {
            let (gtin, text) = gtin(rest)?;
            format!("01/{gtin}/21/{}", escaped(serial(text, 20)?))
        }
        "upui" => {
            let (gtin, text) = gtin(rest)?;
            format!("01/{gtin}/235/{}", escaped(serial(text, 28)?))
        }
        "itip" => {
            let (gtin, text) = gtin(rest)?;
            let (pieces, text) = pieces(text)?;
            format!("8006/{gtin}{pieces}/21/{}", escaped(serial(text, 20)?))
        }
        "sscc" => {
            let (company, reference) = rest.split_once('.')?;
            let whole = numbers(company, reference, 17)?;
            let first = &reference[..1];
            let digits = format!("{first}{company}{}", &reference[1..]);
            debug_assert_eq!(digits.len(), whole.len());
            format!("00/{}", checked(&digits))
        }
        "sgln" => {
            let (key, text) = key_and_serial(rest, 12)?;
            let text = serial(text, 20)?;
            if text == "0" {
                format!("414/{}", checked(&key))
            } else {
                format!("414/{}/254/{}", checked(&key), escaped(text))
            }
        }
        "pgln" => {
            let (company, reference) = rest.split_once('.')?;
            format!("417/{}", checked(&numbers(company, reference, 12)?))
        }
        "grai" => {
            let (key, text) = key_and_serial(rest, 12)?;
            format!("8003/{}{}", checked(&format!("0{key}")), escaped(serial(text, 16)?))
        }
        "gdti" => {
            let (key, text) = key_and_serial(rest, 12)?;
            format!("253/{}{}", checked(&key), escaped(serial(text, 20)?))
        }
        "sgcn" => {
            let (key, text) = key_and_serial(rest, 12)?;
            format!("255/{}{}", checked(&key), digits(text, 12)?)
        }
        "gsrn" | "gsrnp" => {
            let (company, reference) = rest.split_once('.')?;
            let key = if scheme == "gsrn" { "8018" } else { "8017" };
            format!("{key}/{}", checked(&numbers(company, reference, 17)?))
        }
        "gsin" => {
            let (company, reference) = rest.split_once('.')?;
            format!("402/{}", checked(&numbers(company, reference, 16)?))
        }
        "giai" | "ginc" => {
            let (company, reference) = rest.split_once('.')?;
            let reference = serial(reference, 30 - company_length(company)?)?;
            let key = if scheme == "giai" { "8004" } else { "401" };
            format!("{key}/{company}{}", escaped(reference))
        }
        "cpi" => {
            let (company, rest) = rest.split_once('.')?;
            let (reference, number) = rest.rsplit_once('.')?;
            let reference = component(reference, 30 - company_length(company)?)?;
            format!("8010/{company}{}/8011/{}", escaped(reference), digits(number, 12)?)
        }
        _ => return None,
    };
    Some(format!("{HOME}/{path}"))
}

/// A pattern for every serial number of a key.
fn pattern(rest: &str) -> Option<String> {
    let (scheme, rest) = rest.split_once(':')?;
    let path = match scheme {
        "sgtin" | "upui" => {
            let (gtin, "*") = gtin(rest)? else { return None };
            format!("01/{gtin}")
        }
        "itip" => {
            let (gtin, text) = gtin(rest)?;
            let (pieces, "*") = pieces(text)? else { return None };
            format!("8006/{gtin}{pieces}")
        }
        "grai" | "gdti" | "sgcn" => {
            let (key, "*") = key_and_serial(rest, 12)? else { return None };
            match scheme {
                "grai" => format!("8003/{}", checked(&format!("0{key}"))),
                "gdti" => format!("253/{}", checked(&key)),
                _ => format!("255/{}", checked(&key)),
            }
        }
        "cpi" => {
            let (company, rest) = rest.split_once('.')?;
            let (reference, "*") = rest.rsplit_once('.')? else { return None };
            let reference = component(reference, 30 - company_length(company)?)?;
            format!("8010/{company}{}", escaped(reference))
        }
        _ => return None,
    };
    Some(format!("{HOME}/{path}"))
}

/// Company prefix, item reference and what follows: the indicator, the first digit of the reference, goes to the front
/// of the GTIN.
fn gtin(rest: &str) -> Option<(String, &str)> {
    let (company, rest) = rest.split_once('.')?;
    let (reference, rest) = rest.split_once('.')?;
    numbers(company, reference, 13)?;
    if reference.is_empty() {
        return None;
    }
    let digits = format!("{}{company}{}", &reference[..1], &reference[1..]);
    Some((checked(&digits), rest))
}

/// Piece and total of an ITIP, and what follows.
fn pieces(text: &str) -> Option<(String, &str)> {
    let mut parts = text.splitn(3, '.');
    let (piece, total, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let two = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    (two(piece) && two(total)).then(|| (format!("{piece}{total}"), rest))
}

/// Company prefix and reference, together of `length` digits, and what follows.
fn key_and_serial(rest: &str, length: usize) -> Option<(String, &str)> {
    let (company, rest) = rest.split_once('.')?;
    let (reference, rest) = rest.split_once('.')?;
    Some((numbers(company, reference, length)?, rest))
}

/// Both together, if they are `length` digits and the company prefix has six to twelve of them.
fn numbers(company: &str, reference: &str, length: usize) -> Option<String> {
    company_length(company)?;
    let all = reference.bytes().all(|byte| byte.is_ascii_digit());
    (all && company.len() + reference.len() == length).then(|| format!("{company}{reference}"))
}

fn company_length(company: &str) -> Option<usize> {
    let all = company.bytes().all(|byte| byte.is_ascii_digit());
    (all && (6..=12).contains(&company.len())).then_some(company.len())
}

fn digits(text: &str, most: usize) -> Option<&str> {
    let all = text.bytes().all(|byte| byte.is_ascii_digit());
    (all && (1..=most).contains(&text.len())).then_some(text)
}

/// A serial number: one to `most` characters of the GS1 set, those that a URI reserves as `%` and two hex digits.
fn serial(text: &str, most: usize) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!')(*+,.:;=_-".contains(&byte);
    characters(text, most, plain)
}

/// A component or part reference: digits, capitals and hyphens, others escaped.
fn component(text: &str, most: usize) -> Option<&str> {
    characters(text, most, |byte| byte.is_ascii_digit() || byte.is_ascii_uppercase() || byte == b'-')
}

fn characters(text: &str, most: usize, plain: impl Fn(u8) -> bool) -> Option<&str> {
    let bytes = text.as_bytes();
    let (mut place, mut count) = (0, 0);
    while place < bytes.len() {
        let escaped = bytes[place] == b'%';
        if escaped {
            let code = bytes.get(place + 1..place + 3)?;
            if !matches!(code[0], b'2'..=b'7') || !code[1].is_ascii_hexdigit() {
                return None;
            }
        } else if !plain(bytes[place]) {
            return None;
        }
        place += if escaped { 3 } else { 1 };
        count += 1;
    }
    (1..=most).contains(&count).then_some(text)
}

/// With the characters escaped that a digital link escapes and an EPC URI does not.
fn escaped(text: &str) -> String {
    let mut link = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '!' | '(' | ')' | '*' | '+' | ',' | ':' => link.push_str(&format!("%{:02X}", u32::from(character))),
            other => link.push(other),
        }
    }
    link
}

/// The digits with the check digit behind them (GS1 General Specifications, 7.9.1).
fn checked(digits: &str) -> String {
    let weighted = digits.bytes().rev().enumerate();
    let sum: u32 = weighted.map(|(place, byte)| u32::from(byte - b'0') * if place % 2 == 0 { 3 } else { 1 }).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

// ---- digital links -------------------------------------------------------------------------------------------------

/// Keys by number, in the order in which they are looked for.
const KEYS: [&str; 14] =
    ["00", "01", "253", "255", "401", "402", "414", "417", "8003", "8004", "8006", "8010", "8017", "8018"];

/// Names of keys and qualifiers in links of older releases.
const NAMES: [(&str, &str); 17] = [
    ("/gtin/", "/01/"),
    ("/itip/", "/8006/"),
    ("/cpid/", "/8010/"),
    ("/gln/", "/414/"),
    ("/party/", "/417/"),
    ("/gsrnp/", "/8017/"),
    ("/gsrn/", "/8018/"),
    ("/gcn/", "/255/"),
    ("/sscc/", "/00/"),
    ("/gdti/", "/253/"),
    ("/ginc/", "/401/"),
    ("/gsin/", "/402/"),
    ("/grai/", "/8003/"),
    ("/giai/", "/8004/"),
    ("/cpv/", "/22/"),
    ("/lot/", "/10/"),
    ("/ser/", "/21/"),
];

fn link(uri: &str) -> Option<String> {
    let mut path = uri.split(['?', '#']).next()?.trim_end_matches('/').to_owned();
    for (name, number) in NAMES {
        if path.contains(name) {
            path = path.replace(name, number);
        }
    }
    let is_home = path.strip_prefix(HOME).and_then(|rest| key_at(rest)).is_some();
    if !is_home {
        let start = KEYS.iter().find_map(|key| path.find(&format!("/{key}/")))?;
        path = path[start..].to_owned();
    } else {
        path = path[HOME.len()..].to_owned();
    }
    let (key, rest) = key_at(&path)?;
    let mut parts: Vec<&str> = rest.split('/').collect();
    let first = if key == "01" { padded(parts[0])? } else { parts[0].to_owned() };
    parts[0] = &first;
    let parts = finest(key, &parts)?;
    holds(key, &parts).then(|| format!("{HOME}/{key}/{}", parts.join("/")))
}

/// The key that the path begins with, if at least four digits and one more character follow it.
fn key_at(path: &str) -> Option<(&'static str, &str)> {
    KEYS.iter().find_map(|key| {
        let rest = path.strip_prefix('/')?.strip_prefix(key)?.strip_prefix('/')?;
        let value = rest.split('/').next()?;
        let starts = value.len() > 4 && value.bytes().take(4).all(|byte| byte.is_ascii_digit());
        starts.then_some((*key, rest))
    })
}

/// A GTIN of 8, 12 or 13 digits with zeros before it.
fn padded(gtin: &str) -> Option<String> {
    let all = gtin.bytes().all(|byte| byte.is_ascii_digit());
    (all && matches!(gtin.len(), 8 | 12 | 13 | 14)).then(|| format!("{gtin:0>14}"))
}

/// Without the consumer product variant (22), and without the lot (10) when there is a serial number (21).
fn finest<'a>(key: &str, parts: &[&'a str]) -> Option<Vec<&'a str>> {
    let mut kept = vec![parts[0]];
    let mut rest = &parts[1..];
    while let [qualifier, value, more @ ..] = rest {
        let serial_follows = more.first() == Some(&"21");
        let of_item = key == "01" || key == "8006";
        if !(of_item && (*qualifier == "22" || (*qualifier == "10" && serial_follows))) {
            kept.extend([*qualifier, *value]);
        }
        rest = more;
    }
    rest.is_empty().then_some(kept)
}

/// Whether key and qualifiers have the form of a constrained link.
fn holds(key: &str, parts: &[&str]) -> bool {
    let number = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let value = |text: &str, most: usize| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"\"'-.;<=>?_".contains(&byte);
        text.is_empty() || characters(text, most, plain).is_some()
    };
    let begins = |text: &str, count: usize, most: usize| {
        text.split_at_checked(count).is_some_and(|(start, rest)| number(start, count, count) && value(rest, most))
    };
    match (key, parts) {
        ("00" | "8017" | "8018", [id]) => number(id, 18, 18),
        ("01", [id]) => number(id, 14, 14),
        ("01", [id, "21" | "10", more]) => number(id, 14, 14) && value(more, 20),
        ("01", [id, "235", more]) => number(id, 14, 14) && value(more, 28),
        ("253", [id]) => begins(id, 13, 17),
        ("255", [id]) => number(id, 13, 25),
        ("401" | "8004", [id]) => value(id, 30),
        ("402", [id]) => number(id, 17, 17),
        ("414" | "417", [id]) => number(id, 13, 13),
        ("414", [id, "254", more]) => number(id, 13, 13) && value(more, 20),
        ("8003", [id]) => begins(id, 14, 16),
        ("8006", [id]) => number(id, 18, 18),
        ("8006", [id, "21" | "10", more]) => number(id, 18, 18) && value(more, 20),
        ("8010", [id]) => component(id, 30).is_some(),
        ("8010", [id, "8011", more]) => component(id, 30).is_some() && number(more, 0, 12),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[track_caller]
    fn is(uri: &str, path: &str) {
        assert_eq!(canonical(uri), Some(format!("https://id.gs1.org/{path}")), "{uri}");
    }

    #[test]
    fn epc_uris_of_every_scheme_become_links() {
        is("urn:epc:id:sgtin:4012345.011111.98%22", "01/04012345111118/21/98%22");
        is("urn:epc:id:sgtin:415056789012.0.987654", "01/04150567890128/21/987654");
        is(
            "urn:epc:id:sgtin:0614141.812345.6789%2F%26%25%22!%3F()",
            "01/80614141123458/21/6789%2F%26%25%22%21%3F%28%29",
        );
        is("urn:epc:id:sscc:4012345.3111111111", "00/340123451111111111");
        is("urn:epc:id:sscc:4012345.0000000011", "00/040123450000000115");
        is("urn:epc:id:sgln:4012345.00005.122", "414/4012345000054/254/122");
        is("urn:epc:id:sgln:4012345.00005.0", "414/4012345000054");
        is("urn:epc:id:grai:4012345.00022.334455", "8003/04012345000221334455");
        is("urn:epc:id:giai:4012345.ABC345", "8004/4012345ABC345");
        is("urn:epc:id:gsrn:4012345.0000006765", "8018/401234500000067657");
        is("urn:epc:id:gsrnp:4012345.0000000007", "8017/401234500000000074");
        is("urn:epc:id:gdti:4012345.00009.PO-4711", "253/4012345000092PO-4711");
        is("urn:epc:id:gdti:987659999999..9", "253/98765999999929");
        is("urn:epc:id:sgcn:4012345.67890.04711", "255/401234567890104711");
        is("urn:epc:id:cpi:0614141.11111111111111-A%23%2F.1234", "8010/061414111111111111111-A%23%2F/8011/1234");
        is("urn:epc:id:ginc:0614141.xyz47%2F11", "401/0614141xyz47%2F11");
        is("urn:epc:id:gsin:4012345.222333444", "402/40123452223334442");
        is("urn:epc:id:itip:4012345.011111.01.02.987", "8006/040123451111180102/21/987");
        is("urn:epc:id:upui:1234567.098765.51qIgY)%3C%26Jp3*j7SDB", "01/01234567987651/235/51qIgY%29%3C%26Jp3%2Aj7SDB");
        is("urn:epc:id:pgln:4000001.00000", "417/4000001000005");
        is("urn:epc:id:pgln:999999999999.", "417/9999999999994");
        is("urn:epc:class:lgtin:4012345.012345.Lot987", "01/04012345123456/10/Lot987");
        is("urn:epc:idpat:sgtin:4012345.012345.*", "01/04012345123456");
        is("urn:epc:idpat:grai:4012345.99999.*", "8003/04012345999990");
        is("urn:epc:idpat:gdti:4012345.11111.*", "253/4012345111118");
        is("urn:epc:idpat:sgcn:4012345.22222.*", "255/4012345222227");
        is("urn:epc:idpat:cpi:4012345.AB12.*", "8010/4012345AB12");
        is("urn:epc:idpat:itip:4012345.012345.01.02.*", "8006/040123451234560102");
        is("urn:epc:idpat:upui:4012345.012345.*", "01/04012345123456");
    }

    #[test]
    fn links_of_any_domain_and_release_become_canonical() {
        is("https://id.gs1.org/gtin/09780345418913", "01/09780345418913");
        is("https://example.com/gtin/09780345418913/21/765tz?abc=211121", "01/09780345418913/21/765tz");
        is("http://example.de/gtin-8/01/97803111", "01/00000097803111");
        is("http://us-company-with-UPC.com/01/001122334455/ser/GHB", "01/00001122334455/21/GHB");
        is("https://id.gs1.org/gtin/9780345418913/cpv/344/lot/1223/ser/765tz", "01/09780345418913/21/765tz");
        is("https://id.gs1.org/gtin/9780345418913/cpv/344", "01/09780345418913");
        is("http://example.de/01/040123451234/cpv/344/lot/ABD", "01/00040123451234/10/ABD");
        is("https://id.gs1.org/itip/123456789101100190/cpv/ABCD", "8006/123456789101100190");
        is("https://fashion-corp.com/8006/040123451234560102/22/AB/21/443322", "8006/040123451234560102/21/443322");
        is(
            "https://fashion-corp.com/8006/040123451234560102/10/Lot-123/21/ser987",
            "8006/040123451234560102/21/ser987",
        );
        is("https://example.co.uk/party/4226350800008", "417/4226350800008");
        is("https://id.gs1.org/414/4280000000002/254/12", "414/4280000000002/254/12");
        is("https://id.gs1.org/8010/0628165987/8011/9876", "8010/0628165987/8011/9876");
        is("https://id.gs1.org/255/0811625999996554433", "255/0811625999996554433");
    }

    #[test]
    fn what_conveys_no_key_stays_as_it_is() {
        for text in [
            "http://example.org/123/4012345ABC987/456/4711",
            "http://id.gs1.org/99/9780345418913",
            "http://id.gs1.org/01/9780345418913/99/utfgf",
            "http://example.de/abc/9780345418913",
            "http://example.de/01/97803",
            "https://id.gs1.org/8006/04012345123456/22/ABCD/10/XYZ",
            "42",
            "Hello World!",
            "geo:50.947573340894124,6.922120147375441",
            "urn:epc:id:sgtin:4012345.01111.1",
            "urn:epc:id:sgtin:40123ä5.011111.1",
            "urn:epc:id:sgtin:4012345.011111.",
            "urn:epc:id:sgtin:4012345.011111.123456789012345678901",
            "urn:epc:id:sgtin:4012345.011111.a#b",
            "urn:epc:id:sscc:4012345.",
            "urn:epc:id:other:4012345.1",
            "urn:epc:idpat:sgtin:4012345.012345.7",
            "urn:epcglobal:cbv:bt:4012345123456:RE1099",
            "https://",
            "http://a/01/",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }
}
