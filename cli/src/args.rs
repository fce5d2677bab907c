//! Values that people type: accounts by name or id, amounts with their currency, ids of each kind, dates.

use std::str::FromStr;

use portolan_interface::trade::{ContainerNumber, Unlocode};
use portolan_interface::{CertificateId, DocumentId, FinancingId, MemberId, Money, PartId};
use portolan_primitives as chain;
use portolan_primitives::id::{from_text, is_name, to_text};

/// An account: `member/account` or `acct1…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountArg {
    /// Its id.
    pub id: chain::AccountId,
    /// Its name, if it was named.
    pub name: Option<String>,
}

impl AccountArg {
    /// The contracts' form.
    pub fn contract_id(&self) -> portolan_interface::AccountId {
        portolan_interface::AccountId(self.id.0)
    }

    /// The name, or the id.
    pub fn text(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }
}

impl FromStr for AccountArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((member, account)) = text.split_once('/') {
            if is_name(member) && is_name(account) {
                return Ok(Self { id: chain::AccountId::from_name(member, account), name: Some(text.into()) });
            }
        }
        let id = text
            .parse()
            .map_err(|error| format!("{error}; an account is named member/account, as harbour-bank/main"))?;
        Ok(Self { id, name: None })
    }
}

/// A member: its name or `org1…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberArg(pub chain::MemberId);

impl MemberArg {
    /// The contracts' form.
    pub fn contract_id(&self) -> MemberId {
        MemberId(self.0.0)
    }
}

impl FromStr for MemberArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("org1") {
            return text.parse().map(Self).map_err(|error: chain::IdError| error.to_string());
        }
        if is_name(text) {
            return Ok(Self(chain::MemberId::from_name(text)));
        }
        Err(format!("`{text}` is neither a member's name nor an id of kind `org`"))
    }
}

/// An id of a contract's record, as `cert1…`.
pub trait RecordId: Sized {
    /// The prefix.
    const KIND: &'static str;
    /// From its bytes.
    fn from_bytes(bytes: [u8; 32]) -> Self;
    /// Its bytes.
    fn bytes(&self) -> [u8; 32];

    /// Its text.
    fn text(&self) -> String {
        to_text(Self::KIND, &self.bytes())
    }
}

macro_rules! record_ids {
    ($($name:ident: $parser:ident,)*) => {
        $(
            impl RecordId for $name {
                const KIND: &'static str = $name::KIND;
                fn from_bytes(bytes: [u8; 32]) -> Self {
                    Self(bytes)
                }
                fn bytes(&self) -> [u8; 32] {
                    self.0
                }
            }

            /// For clap.
            pub fn $parser(text: &str) -> Result<$name, String> {
                from_text($name::KIND, text).map($name).map_err(|error| error.to_string())
            }
        )*
    };
}

record_ids! {
    CertificateId: certificate,
    PartId: part,
    DocumentId: document,
    FinancingId: financing,
}

/// An amount with its currency: `120000.00CNY` or `"120,000.00 CNY"`.
pub fn money(text: &str) -> Result<Money, String> {
    let wrong = || format!("`{text}` is no amount; write it as 120000.00CNY");
    let compact: String = text.chars().filter(|sign| !sign.is_whitespace() && *sign != ',').collect();
    if !compact.is_ascii() || compact.len() < 4 {
        return Err(wrong());
    }
    let (number, code) = compact.split_at(compact.len() - 3);
    let currency = code.parse().map_err(|error: portolan_terms::TermsError| error.to_string())?;
    Money::from_decimal(number, currency).map_err(|error| error.to_string())
}

/// A rate in per cent a year, with at most four decimals: `4.35` is 43,500 parts per million.
pub fn percent(text: &str) -> Result<portolan_interface::Ppm, String> {
    let wrong = || format!("`{text}` is no rate in per cent with at most four decimals, as 4.35");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 4
        || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
        || whole.is_empty()
    {
        return Err(wrong());
    }
    let digits = format!("{whole}{fraction:0<4}");
    digits.parse().map(portolan_interface::Ppm).map_err(|_| wrong())
}

/// A date for contracts.
pub fn date(text: &str) -> Result<portolan_interface::BusinessDate, String> {
    let day: chain::BusinessDate = text.parse().map_err(|error: chain::time::DateError| error.to_string())?;
    Ok(portolan_interface::BusinessDate(day.0))
}

/// A port by UN/LOCODE, as `CNSHA`.
pub fn port(text: &str) -> Result<Unlocode, String> {
    let five = text.len() == 5;
    five.then(|| text.into()).ok_or_else(|| format!("`{text}` is no UN/LOCODE of five characters, as CNSHA"))
}

/// A container number by ISO 6346, as `CSQU3054383`.
pub fn container(text: &str) -> Result<ContainerNumber, String> {
    let eleven = text.len() == 11;
    let wrong = || format!("`{text}` is no container number of eleven characters, as CSQU3054383");
    eleven.then(|| text.into()).ok_or_else(wrong)
}

/// Bytes in hex.
pub fn hex(text: &str) -> Result<Vec<u8>, String> {
    portolan_primitives::hex::decode(text).ok_or_else(|| format!("`{text}` is not hex"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_named_or_given_by_id() {
        let named: AccountArg = "harbour-bank/main".parse().unwrap();
        let by_id: AccountArg = named.id.to_string().parse().unwrap();
        assert_eq!(named.id, by_id.id);
        assert!("harbour-bank".parse::<AccountArg>().is_err());
        assert!("Harbour/main".parse::<AccountArg>().is_err());
    }

    #[test]
    fn amounts_keep_their_currencys_decimals() {
        assert_eq!(money("120,000.00 CNY").unwrap().minor, 12_000_000);
        assert_eq!(money("1200JPY").unwrap().minor, 1_200);
        assert_eq!(money("5000.123BHD").unwrap().minor, 5_000_123);
        for wrong in ["1.5JPY", "1.005EUR", "EUR", "x EUR", "1 XYZ", "1€uro"] {
            assert!(money(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_are_exact() {
        assert_eq!(percent("4.35").unwrap().0, 43_500);
        assert_eq!(percent("12").unwrap().0, 120_000);
        assert_eq!(percent("0.0001").unwrap().0, 1);
        for wrong in ["", ".5", "4.35001", "-1", "4,35"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused_by_name() {
        let text = to_text("doc", &[1; 32]);
        assert!(certificate(&text).unwrap_err().contains("`doc`"));
        assert_eq!(document(&text).unwrap().text(), text);
    }
}
