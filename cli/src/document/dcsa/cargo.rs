//! Cargo and what carries it: consignment items with their packages, weights and dangerous goods; containers with their
//! seals; charges.
//!
//! Weights and volumes are the decimals of the document with their units; sums are exact and per unit.

use super::super::envelope::{Envelope, Record};
use super::super::error::DocumentError;
use super::super::fields::{
    clauses, count, decimal, filled_in, measure, missing, money, needed, object, objects, required_objects,
    required_texts, set, set_flags, set_list, text, texts,
};
use super::super::iso20022::decimal::Decimal;
use super::super::json::{Json, Shape};
use super::party::references;

/// Sums over the cargo.
#[derive(Default)]
struct Totals {
    packages: u64,
    counted: bool,
    weights: Vec<(String, Decimal)>,
}

impl Totals {
    fn weigh(&mut self, measure: &Record) -> Result<(), DocumentError> {
        let (Some(value), Some(unit)) = (text_of(measure, "value"), text_of(measure, "unit")) else { return Ok(()) };
        let weight = Decimal::read("gross weight", &value)?;
        match self.weights.iter_mut().find(|(held, _)| *held == unit) {
            Some((_, sum)) => *sum = sum.add(weight)?,
            None => self.weights.push((unit, weight)),
        }
        Ok(())
    }
}

fn text_of(record: &Record, name: &str) -> Option<String> {
    match record.get(name) {
        Some(super::super::Fact::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Sets the facts of the consignment items: `cargo`, `package_count`, `gross_weight`.
///
/// # Errors
/// `MissingField` without any, or without what each needs; `Template`; whatever is wrong with a number.
pub fn consignment(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let items = required_objects(json, "consignmentItems", "consignment item")?;
    let mut totals = Totals::default();
    let mut shown = Vec::with_capacity(items.len());
    for one in items {
        shown.push(item(one, &mut totals, envelope)?);
    }
    envelope.facts.set("package_count", totals.counted.then_some(totals.packages));
    let weights: Vec<Record> = totals
        .weights
        .into_iter()
        .map(|(unit, sum)| Record::default().with("value", sum.to_string()).with("unit", unit))
        .collect();
    envelope.facts.set("gross_weight", weights);
    envelope.facts.set("cargo", shown);
    Ok(())
}

fn item(json: &Json, totals: &mut Totals, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    let booking = needed(json, &["carrierBookingReference"], "carrier booking reference")?;
    facts.set("booking", booking.clone());
    envelope.refer("booking", booking);
    facts.set("description", required_texts(json, "descriptionOfGoods", "description of goods")?);
    let mut codes = texts(json, "HSCodes", "HS code")?;
    codes.extend(texts(json, "HSCode", "HS code")?);
    codes.extend(texts(json, "extendedHSCodes", "HS code")?);
    codes.iter().try_for_each(|code| filled_in("HSCodes", code, "HS code"))?;
    set_list(&mut facts, "hs_codes", codes);
    commodity_codes(json, &mut facts)?;
    set_list(&mut facts, "shipping_marks", texts(json, "shippingMarks", "shipping marks")?);
    set(json, &[("commodity_reference", &["commoditySubReference"])], &mut facts)?;
    flat_measures(json, &mut facts)?;
    references(json, envelope)?;
    let mut lines = Vec::new();
    for line in required_objects(json, "cargoItems", "cargo item")? {
        lines.push(cargo_line(line, totals, envelope)?);
    }
    facts.set("items", lines);
    Ok(facts)
}

/// National commodity codes, such as Brazil's NCM, each as `type value`.
fn commodity_codes(json: &Json, facts: &mut Record) -> Result<(), DocumentError> {
    let mut found = Vec::new();
    let one = object(json, "nationalCommodityCode", "national commodity code")?;
    for entry in objects(json, "nationalCommodityCodes", "national commodity codes")?.iter().chain(one) {
        let kind = text(entry, &["type"], "type of a national commodity code")?.unwrap_or_default();
        text(entry, &["countryCode"], "country of a national commodity code")?;
        for value in texts(entry, "values", "national commodity code")? {
            found.push(format!("{kind} {value}").trim().to_owned());
        }
    }
    set_list(facts, "national_codes", found);
    Ok(())
}

/// Weight and volume of a version before 3.0, where the unit is a member of its own.
fn flat_measures(json: &Json, facts: &mut Record) -> Result<(), DocumentError> {
    for (name, value, unit) in [
        ("gross_weight", "weight", "weightUnit"),
        ("gross_weight", "cargoGrossWeight", "cargoGrossWeightUnit"),
        ("gross_volume", "volume", "volumeUnit"),
    ] {
        if matches!(json.get(value).map(|found| &found.shape), Some(Shape::Object(_))) {
            continue;
        }
        if let Some(amount) = decimal(json, &[value], "gross weight")? {
            let unit = needed(json, &[unit], "unit of a weight or volume")?;
            let unit = unit.ok_or_else(|| missing("unit of a weight or volume"))?;
            facts.set(name, Record::default().with("value", amount).with("unit", unit));
        }
    }
    Ok(())
}

fn cargo_line(json: &Json, totals: &mut Totals, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    let equipment = needed(json, &["equipmentReference"], "container of a cargo item")?;
    facts.set("equipment", equipment);
    flat_measures(json, &mut facts)?;
    for (name, member) in [
        ("gross_weight", "cargoGrossWeight"),
        ("net_weight", "cargoNetWeight"),
        ("gross_volume", "cargoGrossVolume"),
        ("net_volume", "cargoNetVolume"),
    ] {
        if let Some(found) = measure(json, member, "weight or volume of the cargo")? {
            facts.set(name, found);
        }
    }
    if let Some(super::super::Fact::Record(weight)) = facts.get("gross_weight") {
        totals.weigh(&weight.clone())?;
    }
    let packaging = object(json, "outerPackaging", "outer packaging")?.unwrap_or(json);
    let packages = count(packaging, &["numberOfPackages"], "number of packages")?;
    if let Some(packages) = packages {
        totals.packages = totals.packages.checked_add(packages).ok_or_else(|| missing("number of packages"))?;
        totals.counted = true;
        facts.set("packages", packages);
    }
    for (name, path) in [
        ("package_code", &["packageCode"][..]),
        ("package", &["description"]),
        ("imo_package_code", &["imoPackagingCode"]),
        ("wood", &["woodDeclaration"]),
        ("house_bill", &["houseBillOfLadingReference"]),
    ] {
        if let Some(found) = text(packaging, path, name)? {
            facts.set(name, found);
        }
    }
    dangerous(packaging, &mut facts)?;
    references(json, envelope)?;
    Ok(facts)
}

/// Sets `dangerous_goods`: what stands in the packaging.
///
/// # Errors
/// `InvalidField`, `Template`.
pub fn dangerous(json: &Json, facts: &mut Record) -> Result<(), DocumentError> {
    let mut found = Vec::new();
    for one in objects(json, "dangerousGoods", "dangerous goods")? {
        let mut goods = Record::default();
        goods.set("un_number", text(one, &["UNNumber"], "UN number")?);
        goods.set("name", needed(one, &["properShippingName"], "proper shipping name")?);
        goods.set("class", needed(one, &["imoClass"], "IMO class")?);
        set(
            one,
            &[
                ("na_number", &["NANumber"]),
                ("technical_name", &["technicalName"]),
                ("packing_group", &["packingGroup"]),
                ("subsidiary_risk", &["subsidiaryRisk1"]),
                ("ems_number", &["EMSNumber"]),
                ("emergency_contact", &["emergencyContactDetails", "contact"]),
                ("emergency_phone", &["emergencyContactDetails", "phone"]),
            ],
            &mut goods,
        )?;
        set_flags(
            one,
            &[
                ("marine_pollutant", &["isMarinePollutant"]),
                ("limited_quantity", &["isLimitedQuantity"]),
                ("waste", &["isWaste"]),
            ],
            &mut goods,
        )?;
        for (name, member) in
            [("gross_weight", "grossWeight"), ("net_weight", "netWeight"), ("net_volume", "netVolume")]
        {
            if let Some(measured) = measure(one, member, "weight or volume of dangerous goods")? {
                goods.set(name, measured);
            }
        }
        found.push(goods);
    }
    set_list(facts, "dangerous_goods", found);
    Ok(())
}

/// Sets `equipment`: the containers and what is known of each.
///
/// # Errors
/// `MissingField` for one without number, `Template`, `InvalidField`.
pub fn equipment(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut shown = Vec::new();
    for one in objects(json, "utilizedTransportEquipments", "list of equipment")? {
        shown.push(container(one, envelope)?);
    }
    envelope.facts.set("equipment", shown);
    Ok(())
}

/// One container.
///
/// # Errors
/// As [`equipment`].
pub fn container(json: &Json, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let inner = object(json, "equipment", "equipment")?.unwrap_or(json);
    let mut facts = Record::default();
    let number =
        needed(inner, &["equipmentReference"], "container number")?.ok_or_else(|| missing("container number"))?;
    check_container(&number, envelope);
    facts.set("number", number);
    facts.set("iso_code", text(inner, &["ISOEquipmentCode"], "ISO code of a container")?);
    for (name, member) in [("tare_weight", "tareWeight"), ("gross_weight", "cargoGrossWeight")] {
        let place = if inner.get(member).is_some() { inner } else { json };
        if place.get(member).is_some_and(|found| found.get("value").is_some()) {
            facts.set(name, measure(place, member, "weight of a container")?);
        }
    }
    if let Some(weight) = inner.get("tareWeight").filter(|found| found.get("value").is_none())
        && let Some(value) = decimal(weight, &[], "tare weight")?
    {
        let unit = text(inner, &["weightUnit"], "unit of a weight or volume")?;
        facts.set("tare_weight", Record::default().with("value", value).with("unit", unit));
    }
    flat_measures(json, &mut facts)?;
    set_flags(
        json,
        &[("shipper_owned", &["isShipperOwned"]), ("non_operating_reefer", &["isNonOperatingReefer"])],
        &mut facts,
    )?;
    set(json, &[("empty_or_laden", &["emptyIndicatorCode"])], &mut facts)?;
    reefer(json, &mut facts)?;
    set_list(&mut facts, "seals", seals(json)?);
    set_list(&mut facts, "shipping_marks", texts(json, "shippingMarks", "shipping marks")?);
    references(json, envelope)?;
    Ok(facts)
}

/// The numbers of the seals.
///
/// # Errors
/// `Template`, `InvalidField`.
pub fn seals(json: &Json) -> Result<Vec<String>, DocumentError> {
    let mut found = Vec::new();
    for seal in objects(json, "seals", "list of seals")? {
        let number = match needed(seal, &["number"], "number of a seal")? {
            None => needed(seal, &["sealNumber"], "number of a seal")?,
            number => number,
        };
        found.extend(number);
    }
    Ok(found)
}

/// Sets the settings of a reefer.
///
/// # Errors
/// `InvalidAmount`, `InvalidField`.
pub fn reefer(json: &Json, facts: &mut Record) -> Result<(), DocumentError> {
    let Some(settings) = object(json, "activeReeferSettings", "reefer settings")? else { return Ok(()) };
    let mut found = Record::default();
    for (name, member) in [
        ("temperature", "temperatureSetpoint"),
        ("temperature_min", "temperatureMin"),
        ("temperature_max", "temperatureMax"),
        ("humidity", "humiditySetpoint"),
        ("o2", "o2Setpoint"),
        ("co2", "co2Setpoint"),
        ("air_exchange", "airExchangeSetpoint"),
    ] {
        if let Some(value) = decimal(settings, &[member], "setting of a reefer")? {
            found.set(name, value);
        }
    }
    set(
        settings,
        &[("temperature_unit", &["temperatureUnit"]), ("air_exchange_unit", &["airExchangeUnit"])],
        &mut found,
    )?;
    facts.set("reefer", found);
    Ok(())
}

/// Sets `charges`.
///
/// # Errors
/// Whatever is wrong with an amount or its currency.
pub fn charges(json: &Json, facts: &mut Record) -> Result<(), DocumentError> {
    let mut shown = Vec::new();
    for one in objects(json, "charges", "list of charges")? {
        let mut charge = Record::default();
        charge.set("name", needed(one, &["chargeName"], "name of a charge")?);
        charge.set("amount", money(one, &["currencyAmount"], &["currencyCode"], "amount of a charge")?);
        set(one, &[("payment_term", &["paymentTermCode"]), ("basis", &["calculationBasis"])], &mut charge)?;
        // A price per unit may be finer than its currency, and a quantity is no amount: both stay as written.
        for (name, member) in [("unit_price", "unitPrice"), ("quantity", "quantity")] {
            if let Some(value) = decimal(one, &[member], "price or quantity of a charge")? {
                charge.set(name, value);
            }
        }
        shown.push(charge);
    }
    set_list(facts, "charges", shown);
    Ok(())
}

/// Sets the terms and the clauses of the carrier.
///
/// # Errors
/// `InvalidField`.
pub fn terms(json: &Json, facts: &mut Record) -> Result<(), DocumentError> {
    for (name, member) in [
        ("terms", "termsAndConditions"),
        ("carrier_clauses", "carrierClauses"),
        ("requested_clauses", "requestedCarrierClauses"),
        ("requested_certificates", "requestedCarrierCertificates"),
    ] {
        set_list(facts, name, clauses(json, member, "clause")?);
    }
    Ok(())
}

/// Warns of a container number whose check digit (ISO 6346) is wrong. Numbers of another form are not checked.
pub fn check_container(number: &str, envelope: &mut Envelope) {
    if check_digit(number).is_some_and(|holds| !holds) {
        let number = super::super::Excerpt::of(number);
        let reason =
            format!("the check digit of the container number {number} is wrong (ISO 6346); ask for the right one");
        if !envelope.warnings.iter().any(|warning| warning.reason == reason) {
            envelope.warn("invalid_container_number", reason);
        }
    }
}

/// Whether the check digit holds; nothing unless it is four letters and seven digits.
fn check_digit(number: &str) -> Option<bool> {
    let bytes = number.as_bytes();
    if bytes.len() != 11 || !bytes[..4].iter().all(u8::is_ascii_uppercase) || !bytes[4..].iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        // Letters count from 10 and pass over the multiples of 11.
        _ => {
            let letter = u32::from(byte - b'A') + 10;
            letter + (letter - 1) / 10
        }
    };
    let sum: u32 = bytes[..10].iter().zip(0u32..).map(|(byte, place)| value(*byte) << place).sum();
    Some(sum % 11 % 10 == value(bytes[10]))
}

#[cfg(test)]
mod tests {
    use super::check_digit;

    #[test]
    fn the_check_digit_of_a_container_number_is_that_of_iso_6346() {
        for number in ["CSQU3054383", "APZU4812090", "TRIU8217401", "HLCU1234568"] {
            assert_eq!(check_digit(number), Some(true), "{number}");
        }
        for number in ["CSQU3054384", "APZU4812091"] {
            assert_eq!(check_digit(number), Some(false), "{number}");
        }
        for number in ["", "CSQU305438", "csqu3054383", "ABCD123456", "CSQU30543ü3"] {
            assert_eq!(check_digit(number), None, "{number}");
        }
    }
}
