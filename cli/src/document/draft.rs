//! What was found in a document, as written, and the rules that make facts of it. The rules are the same for both
//! syntaxes.

use portolan_primitives::BusinessDate;

use super::currency::Denomination;
use super::error::{DocumentError, Excerpt, Field};
use super::tree::not_placeholder;
use super::xml::Value;
use super::{Facts, Kind};

/// UNTDID 1001 codes that EN 16931 lists for credit notes (BT-3), whatever element the document is wrapped in.
const CREDIT_NOTE_CODES: [&str; 13] =
    ["81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"];

/// The findings of one document.
#[derive(Default)]
pub struct Draft {
    type_code: Option<String>,
    number: Option<String>,
    issue_date: Option<BusinessDate>,
    due_date: Ranked<BusinessDate>,
    currency: Option<String>,
    payable: Vec<Value>,
    taxes: Vec<Tax>,
    seller: Ranked<String>,
    buyer: Ranked<String>,
}

/// A finding that may stand in several places, the best place having rank 0.
#[derive(Default)]
struct Ranked<T>(Option<(u8, T)>);

impl<T> Ranked<T> {
    /// Keeps `found` if its rank is better than that of what is held, or if `replaces` says so within one rank.
    fn offer(&mut self, rank: u8, found: T, replaces: impl Fn(&T, &T) -> bool) {
        let keep = match &self.0 {
            None => true,
            Some((held, value)) => rank < *held || (rank == *held && replaces(&found, value)),
        };
        if keep {
            self.0 = Some((rank, found));
        }
    }

    fn taken(self) -> Option<T> {
        self.0.map(|(_, found)| found)
    }
}

/// A total of tax: the amount and whether it is broken down by category.
struct Tax {
    amount: Value,
    broken_down: bool,
}

impl Draft {
    /// Notes a text of which a document has one. Empty means absent.
    ///
    /// # Errors
    /// `ContradictoryField` if another text was noted for it.
    pub fn text(&mut self, field: Field, found: Value) -> Result<(), DocumentError> {
        let slot = match field {
            Field::TypeCode => &mut self.type_code,
            Field::Currency => &mut self.currency,
            _ => &mut self.number,
        };
        if found.text.is_empty() {
            return Ok(());
        }
        match slot {
            Some(first) if *first != found.text => Err(contradiction(field, first, &found.text)),
            _ => {
                *slot = Some(found.text);
                Ok(())
            }
        }
    }

    /// Notes the issue date.
    ///
    /// # Errors
    /// `ContradictoryField` if another date was noted.
    pub fn issue_date(&mut self, found: BusinessDate) -> Result<(), DocumentError> {
        match self.issue_date.replace(found) {
            Some(first) if first != found => {
                Err(contradiction(Field::IssueDate, &first.to_string(), &found.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Notes a due date. Within one rank the latest holds: only then is the whole amount due (instalments,
    /// early-payment terms).
    pub fn due_date(&mut self, rank: u8, found: BusinessDate) {
        self.due_date.offer(rank, found, |new, held| new > held);
    }

    /// Notes a name of the seller or the buyer. Within one rank the first holds.
    pub fn name(&mut self, party: Field, rank: u8, found: Value) {
        let slot = if party == Field::Seller { &mut self.seller } else { &mut self.buyer };
        if !found.text.is_empty() {
            slot.offer(rank, found.text, |_, _| false);
        }
    }

    /// Notes an amount due for payment.
    pub fn payable(&mut self, found: Value) {
        if !found.text.is_empty() {
            self.payable.push(found);
        }
    }

    /// Notes a total of tax.
    pub fn tax(&mut self, found: Value) {
        self.taxes.push(Tax { amount: found, broken_down: false });
    }

    /// Notes that the total of tax noted last is broken down by category.
    pub fn tax_is_broken_down(&mut self) {
        if let Some(tax) = self.taxes.last_mut() {
            tax.broken_down = true;
        }
    }

    /// Makes the facts. `credit_note_element` says that the syntax itself calls the document a credit note.
    ///
    /// # Errors
    /// `MissingField` for a number or a currency, and whatever is wrong with the currency or an amount.
    pub fn into_facts(self, credit_note_element: bool) -> Result<Facts, DocumentError> {
        self.refuse_template()?;
        let denomination = self.denomination()?;
        let payable_minor = self.payable_minor(denomination)?;
        let tax_minor = self.tax_minor(denomination)?;
        let by_code = self.type_code.as_deref().is_some_and(|code| CREDIT_NOTE_CODES.contains(&code));
        Ok(Facts {
            kind: if credit_note_element || by_code { Kind::CreditNote } else { Kind::Invoice },
            type_code: self.type_code,
            number: self.number.ok_or(DocumentError::MissingField { field: Field::Number })?,
            issue_date: self.issue_date,
            due_date: self.due_date.taken(),
            currency: denomination.currency,
            exponent: denomination.exponent,
            payable_minor,
            tax_minor,
            seller: self.seller.taken(),
            buyer: self.buyer.taken(),
        })
    }

    /// Refuses a placeholder where every invoice needs a value.
    fn refuse_template(&self) -> Result<(), DocumentError> {
        let party = |party: &Ranked<String>| party.0.as_ref().map(|(_, name)| name.clone());
        [
            (Field::Number, self.number.clone()),
            (Field::TypeCode, self.type_code.clone()),
            (Field::Currency, self.currency.clone()),
            (Field::Seller, party(&self.seller)),
            (Field::Buyer, party(&self.buyer)),
            (Field::Payable, self.payable.first().map(|amount| amount.text.clone())),
        ]
        .into_iter()
        .filter_map(|(field, value)| Some((field, value?)))
        .try_for_each(|(field, value)| not_placeholder(field, &value))
    }

    /// Whether a type code was found.
    pub fn has_type_code(&self) -> bool {
        self.type_code.is_some()
    }

    /// The document's currency; where the document names none, that of the amount due.
    fn denomination(&self) -> Result<Denomination, DocumentError> {
        let of_payable = self.payable.iter().find_map(|amount| amount.currency.as_deref());
        let code =
            self.currency.as_deref().or(of_payable).ok_or(DocumentError::MissingField { field: Field::Currency })?;
        Denomination::of(code)
    }

    /// The one amount due in the document's currency.
    fn payable_minor(&self, denomination: Denomination) -> Result<Option<i128>, DocumentError> {
        let mut chosen: Option<(i128, &str)> = None;
        for amount in self.payable.iter().filter(|amount| is_in(amount, denomination)) {
            let minor = denomination.minor_units(Field::Payable, &amount.text)?;
            match chosen {
                Some((first, text)) if first != minor => {
                    return Err(contradiction(Field::Payable, text, &amount.text));
                }
                _ => chosen = Some((minor, &amount.text)),
            }
        }
        match (chosen, self.payable.first()) {
            (None, Some(foreign)) => Err(DocumentError::CurrencyMismatch {
                field: Field::Payable,
                document: denomination.currency.to_string(),
                amount: Excerpt::of(foreign.currency.as_deref().unwrap_or_default()),
            }),
            _ => Ok(chosen.map(|(minor, _)| minor)),
        }
    }

    /// The tax in the document's currency: the sum of the totals that are broken down (UBL has one for each kind of
    /// tax), else the first total. A total in another currency is the accounting one (BT-111), which is not asked for.
    fn tax_minor(&self, denomination: Denomination) -> Result<Option<i128>, DocumentError> {
        let mut broken_down: Option<i128> = None;
        let mut first: Option<i128> = None;
        for tax in self.taxes.iter().filter(|tax| is_in(&tax.amount, denomination) && !tax.amount.text.is_empty()) {
            let minor = denomination.minor_units(Field::Tax, &tax.amount.text)?;
            first = first.or(Some(minor));
            if tax.broken_down {
                let sum = broken_down.unwrap_or(0).checked_add(minor);
                broken_down = Some(sum.ok_or(DocumentError::AmountOverflow { field: Field::Tax })?);
            }
        }
        Ok(broken_down.or(first))
    }
}

/// Whether an amount is in the document's currency, which it is when it doesn't say.
fn is_in(amount: &Value, denomination: Denomination) -> bool {
    amount.currency.as_deref().is_none_or(|code| code.as_bytes() == denomination.currency.0)
}

fn contradiction(field: Field, first: &str, second: &str) -> DocumentError {
    DocumentError::ContradictoryField { field, first: Excerpt::of(first), second: Excerpt::of(second) }
}
