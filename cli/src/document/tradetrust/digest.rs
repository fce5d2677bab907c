//! The hash of an OpenAttestation document, by which it was signed: Keccak-256 over the sorted hashes of its fields, and
//! the way from it to the root of a batch.
//!
//! Keccak-256 is the function of Ethereum, with the padding from before SHA-3. It is public data that is hashed here,
//! so nothing has to run in constant time.

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};

use super::super::json::{Json, Shape};

/// Bytes that are absorbed at once.
const RATE: usize = 136;

#[rustfmt::skip]
const ROUNDS: [u64; 24] = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808a, 0x8000_0000_8000_8000, 0x0000_0000_0000_808b,
    0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009, 0x0000_0000_0000_008a, 0x0000_0000_0000_0088,
    0x0000_0000_8000_8009, 0x0000_0000_8000_000a, 0x0000_0000_8000_808b, 0x8000_0000_0000_008b, 0x8000_0000_0000_8089,
    0x8000_0000_0000_8003, 0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800a, 0x8000_0000_8000_000a,
    0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
];

/// Keccak-f[1600]; the lane of column x and row y is at x + 5y.
fn permute(lanes: &mut [u64; 25]) {
    for constant in ROUNDS {
        let mut columns = [0u64; 5];
        for (place, lane) in lanes.iter().enumerate() {
            columns[place % 5] ^= lane;
        }
        for (place, lane) in lanes.iter_mut().enumerate() {
            *lane ^= columns[(place + 4) % 5] ^ columns[(place + 1) % 5].rotate_left(1);
        }
        let (mut x, mut y, mut held) = (1, 0, lanes[1]);
        for step in 0..24u32 {
            (x, y) = (y, (2 * x + 3 * y) % 5);
            held = std::mem::replace(&mut lanes[x + 5 * y], held.rotate_left((step + 1) * (step + 2) / 2 % 64));
        }
        for row in lanes.chunks_exact_mut(5) {
            let before = [row[0], row[1], row[2], row[3], row[4]];
            for (place, lane) in row.iter_mut().enumerate() {
                *lane = before[place] ^ (!before[(place + 1) % 5] & before[(place + 2) % 5]);
            }
        }
        lanes[0] ^= constant;
    }
}

/// Keccak-256.
fn keccak(bytes: &[u8]) -> [u8; 32] {
    let mut lanes = [0u64; 25];
    let mut absorb = |block: &[u8]| {
        for (lane, word) in lanes.iter_mut().zip(block.chunks_exact(8)) {
            *lane ^= word.iter().rev().fold(0, |lane, byte| lane << 8 | u64::from(*byte));
        }
        permute(&mut lanes);
    };
    let blocks = bytes.chunks_exact(RATE);
    let mut last = [0u8; RATE];
    let rest = blocks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 1;
    last[RATE - 1] |= 0x80;
    blocks.for_each(&mut absorb);
    absorb(&last);
    let mut hash = [0u8; 32];
    for (part, lane) in hash.chunks_exact_mut(8).zip(lanes) {
        part.copy_from_slice(&lane.to_le_bytes());
    }
    hash
}

/// The hash of a wrapped document of version 2: of its data, each value with its salt, and of the hashes of what is
/// hidden in it.
pub fn of(data: &Json, hidden: &[String]) -> String {
    let mut hashes = hidden.to_vec();
    flatten(data, &mut String::new(), &mut hashes);
    of_hashes(hashes)
}

fn of_hashes(mut hashes: Vec<String>) -> String {
    hashes.sort();
    let quoted: Vec<String> = hashes.iter().map(|hash| quoted(hash)).collect();
    HEXLOWER.encode(&keccak(format!("[{}]", quoted.join(",")).as_bytes()))
}

/// Adds the hash of each value, named by the way to it. Empty lists and objects are no values.
fn flatten(json: &Json, path: &mut String, hashes: &mut Vec<String>) {
    let mut inside = |name: &str, value: &Json| {
        let outside = path.len();
        if outside > 0 {
            path.push('.');
        }
        path.push_str(name);
        flatten(value, path, hashes);
        path.truncate(outside);
    };
    let value = match &json.shape {
        Shape::Object(members) => return members.iter().for_each(|(name, value)| inside(name, value)),
        Shape::List(items) => {
            return items.iter().enumerate().for_each(|(place, item)| inside(&place.to_string(), item));
        }
        Shape::Null => "null".to_owned(),
        Shape::Flag(flag) => flag.to_string(),
        Shape::Number(number) => number.clone(),
        Shape::Text(text) => quoted(text),
    };
    hashes.push(HEXLOWER.encode(&keccak(format!("{{{}:{value}}}", quoted(path)).as_bytes())));
}

/// A text as `JSON.stringify` writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// The hash of a credential of version 3, whose salts stand in its proof; nothing where a salt can't be read, or stands
/// for a number that a script would write in another way.
pub fn of_credential(credential: &Json, salts: &str, hidden: &[String]) -> Option<String> {
    let salts = Json::read(&String::from_utf8(BASE64.decode(salts.trim().as_bytes()).ok()?).ok()?).ok()?;
    let Shape::List(entries) = &salts.shape else { return None };
    let mut hashes = hidden.to_vec();
    for entry in entries {
        let (Shape::Text(salt), Shape::Text(path)) = (&entry.get("value")?.shape, &entry.get("path")?.shape) else {
            return None;
        };
        let value = match &at(credential, path)?.map(|found| &found.shape) {
            None => continue,
            Some(Shape::Text(text)) => text.clone(),
            Some(Shape::Number(number)) if is_plain(number) => number.clone(),
            Some(Shape::Flag(flag)) => flag.to_string(),
            Some(Shape::Null) => "null".to_owned(),
            Some(_) => return None,
        };
        let field = format!("{{{}:{}}}", quoted(path), quoted(&format!("{salt}:{value}")));
        hashes.push(HEXLOWER.encode(&keccak(field.as_bytes())));
    }
    Some(of_hashes(hashes))
}

/// Whether a script writes the number as it stands here.
fn is_plain(number: &str) -> bool {
    number.len() <= 15
        && number != "-0"
        && !number.contains(['e', 'E'])
        && !(number.contains('.') && number.ends_with('0'))
}

/// The value at a path such as `credentialSubject.class[0].type`: nothing inside if it is gone, nothing at all if the
/// path is no path.
fn at<'a>(json: &'a Json, path: &str) -> Option<Option<&'a Json>> {
    let mut found = Some(json);
    for step in path.split('.') {
        let (name, mut places) = step.split_at(step.find('[').unwrap_or(step.len()));
        if !name.is_empty() {
            found = found.and_then(|json| match &json.shape {
                Shape::Object(members) => members.iter().find(|(held, _)| held == name).map(|(_, value)| value),
                _ => None,
            });
        }
        while !places.is_empty() {
            let (place, rest) = places.strip_prefix('[')?.split_once(']')?;
            let place: usize = place.parse().ok()?;
            found = found.and_then(|json| json.items().get(place));
            places = rest;
        }
    }
    Some(found)
}

/// The root to which a hash and the hashes beside its way lead; nothing if one is no hash.
pub fn root(target: &str, proof: &[String]) -> Option<String> {
    let mut hash = bytes(target)?;
    for beside in proof {
        let beside = bytes(beside)?;
        let pair = if hash <= beside { [hash, beside] } else { [beside, hash] };
        hash = keccak(&pair.concat());
    }
    Some(HEXLOWER.encode(&hash))
}

/// 32 bytes of 64 hex digits.
fn bytes(text: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keccak_gives_the_published_hashes() {
        for (bytes, expected) in [
            (&b""[..], "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
            (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        ] {
            assert_eq!(HEXLOWER.encode(&keccak(bytes)), expected);
        }
        // One byte less than a block, and a whole block, where the padding changes shape.
        let of_zeros = |length: usize| HEXLOWER.encode(&keccak(&vec![0u8; length]));
        assert_eq!(of_zeros(135), "29e3704feeca7fb9ba229f0fa04d9b36449cf3ad6e1d85d9cfff3a10df9abc3e");
        assert_eq!(of_zeros(136), "3a5912a7c5faa06ee4fe906253e339467a9ce87d533c65be3c15cb231cdb25f9");
    }

    #[test]
    fn the_order_of_a_pair_does_not_matter_and_no_hash_is_none() {
        let (one, two) = ("11".repeat(32), "22".repeat(32));
        assert_eq!(root(&one, std::slice::from_ref(&two)), root(&two, std::slice::from_ref(&one)));
        assert_eq!(root(&one, &[]).as_deref(), Some(one.as_str()));
        for text in ["", "11", "zz"] {
            assert_eq!(root(&one, &[text.repeat(32)]).is_some(), text == "11", "{text}");
        }
    }

    #[test]
    fn texts_are_quoted_as_a_script_quotes_them() {
        assert_eq!(quoted("a\"\\\n\u{1}ä\u{7f}/"), "\"a\\\"\\\\\\n\\u0001ä\u{7f}/\"");
    }
}
