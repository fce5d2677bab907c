//! Declarations of imports and exports, and the additional messages about one: amendment, invalidation, arrival.

use super::super::envelope::{Envelope, Fact, Record};
use super::super::error::{DocumentError, Field};
use super::super::tree::Node;
use super::take::{Entry, Take, code_of, facts};
use super::{FORMAT, check_mrn, collect, moment};

/// What a message of that function code asks (UNTDID 1225). HMRC takes 9 and 13.
const FUNCTIONS: [(&str, &str); 7] = [
    ("1", "cancellation"),
    ("4", "change"),
    ("5", "replacement"),
    ("9", "original"),
    ("13", "request"),
    ("22", "final_transmission"),
    ("35", "retransmission"),
];

/// Additional messages by their type code.
const REQUESTS: [(&str, &str); 3] = [("COR", "amendment"), ("INV", "invalidation"), ("GPR", "arrival_notification")];

/// The first two letters of a declaration's type (DE 1/1).
const DIRECTIONS: [(&str, &str, Option<&str>); 3] = [
    ("IM", "import_declaration", Some("import")),
    ("EX", "export_declaration", Some("export")),
    // Trade with special fiscal territories goes both ways.
    ("CO", "special_territory_declaration", None),
];

/// The last letter of a declaration's type (DE 1/2).
const ADDITIONAL_TYPES: [(&str, &str); 13] = [
    ("A", "standard"),
    ("B", "simplified_occasional"),
    ("C", "simplified_regular"),
    ("D", "pre_lodged_standard"),
    ("E", "pre_lodged_simplified_occasional"),
    ("F", "pre_lodged_simplified_regular"),
    ("J", "clearance_request"),
    ("K", "pre_lodged_clearance_request"),
    ("Q", "final_supplementary"),
    ("R", "entry_in_records"),
    ("X", "supplementary_occasional"),
    ("Y", "supplementary_regular"),
    ("Z", "supplementary_entry_in_records"),
];

/// Reads a declaration or an additional message about one.
///
/// # Errors
/// `MissingField` without function code, type or local reference, or without the movement reference of what an
/// additional message is about; `InvalidField` for another function code or type.
pub fn read(message: &Node) -> Result<Envelope, DocumentError> {
    let function_code = message.required(&["FunctionCode"], "function code")?;
    let type_code = message.required(&["TypeCode"], "type code")?;
    let lrn = message.required(&["FunctionalReferenceID"], "local reference number")?;
    let function =
        code_of(&function_code, &FUNCTIONS, "function code", "a declaration has 9, a request about one has 13")?;
    let about_another = function == "request";
    let kind = kind_of(&type_code, about_another)?;
    let mut envelope = Envelope::new(FORMAT, kind);
    let mrn = if about_another {
        Some(message.required(&["ID"], "movement reference number")?)
    } else {
        message.value(&["ID"])?
    };
    check_mrn(mrn.as_deref(), &mut envelope);
    if about_another {
        envelope.refer("declaration", mrn.clone());
    }
    envelope.facts.set("function_code", function_code);
    envelope.facts.set("function", function);
    envelope.facts.set("type_code", type_code.clone());
    if !about_another {
        declared_type(&type_code, &mut envelope.facts);
    }
    envelope.facts.set("lrn", lrn.clone());
    envelope.facts.set("mrn", mrn);
    envelope.number = Some(lrn);
    content(message, &mut envelope)?;
    dates(message, &mut envelope)?;
    collect(message, &mut envelope)?;
    consignment_references(&mut envelope);
    if !about_another {
        check_count(&mut envelope);
    }
    Ok(envelope)
}

fn kind_of(type_code: &str, about_another: bool) -> Result<&'static str, DocumentError> {
    const REASON: &str = "it begins with IM, EX or CO, or is COR, INV or GPR in a request";
    if about_another {
        return code_of(type_code, &REQUESTS, "type code", REASON);
    }
    // COR is never a declaration of trade with special territories.
    let is_request = REQUESTS.iter().any(|(code, _)| *code == type_code);
    let direction = type_code.get(..2).filter(|_| !is_request).unwrap_or(type_code);
    let kinds = DIRECTIONS.map(|(code, kind, _)| (code, kind));
    code_of(direction, &kinds, "type code", REASON)
}

fn declared_type(type_code: &str, facts: &mut Record) {
    let direction = DIRECTIONS.iter().find(|(code, ..)| type_code.starts_with(code));
    let additional = ADDITIONAL_TYPES.iter().find(|(code, _)| type_code.get(2..) == Some(*code));
    facts.set("direction", direction.and_then(|(_, _, direction)| *direction));
    facts.set("declaration_type", additional.map(|(_, meaning)| *meaning));
}

/// The day of issue, else of acceptance.
fn dates(message: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for (element, name) in [("IssueDateTime", "issue time"), ("AcceptanceDateTime", "acceptance time")] {
        let Some(node) = message.at(&[element]) else { continue };
        if envelope.issue_date.is_none()
            && let Some(time) = moment::read(node, Field::Named(name))?
        {
            envelope.issue_date = moment::day(&time);
        }
    }
    Ok(())
}

/// The consignment references, which stand among the previous documents.
fn consignment_references(envelope: &mut Envelope) {
    for kind in ["ducr", "mucr"] {
        let found = envelope.references.iter().find(|reference| reference.kind == kind);
        if let Some(reference) = found {
            envelope.facts.set(kind, reference.number.clone());
        }
    }
}

/// Warns if an original declares another number of goods items than it holds.
fn check_count(envelope: &mut Envelope) {
    let Some(Fact::Count(declared)) = envelope.facts.get("goods_item_count") else { return };
    let Some(Fact::List(items)) = envelope.facts.get("items") else { return };
    if *declared != items.len() as u64 {
        let reason = format!("it declares {declared} goods items and holds {}; ask its declarant", items.len());
        envelope.warn("wrong_item_count", reason);
    }
}

/// Sets the facts of a declaration, or of a part of one in a notice or a report.
pub fn content(node: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut found = facts(node, &CONTENT, envelope)?;
    if let Some(items) = items(node, envelope)? {
        found.set("items", items);
    }
    for (name, fact) in found.iter() {
        envelope.facts.set(name, fact.clone());
    }
    Ok(())
}

/// The goods items, with what is joined from their parts.
pub fn items(node: &Node, envelope: &mut Envelope) -> Result<Option<Vec<Record>>, DocumentError> {
    let Some(shipment) = node.at(&["GoodsShipment"]) else { return Ok(None) };
    let mut found = Vec::new();
    for item in shipment.all("GovernmentAgencyGoodsItem") {
        let mut record = Record::default();
        record.set("sequence", item.value(&["SequenceNumeric"])?);
        if let Some(code) = commodity_code(item)? {
            record.set("commodity_code", code);
        }
        if let Some(code) = procedure(item)? {
            record.set("procedure", code);
        }
        for (name, fact) in facts(item, &ITEM, envelope)?.iter() {
            record.set(name, fact.clone());
        }
        found.push(record);
    }
    Ok((!found.is_empty()).then_some(found))
}

/// The combined nomenclature code (TSP) with the TARIC code (TRC) behind it.
fn commodity_code(item: &Node) -> Result<Option<String>, DocumentError> {
    let Some(commodity) = item.at(&["Commodity"]) else { return Ok(None) };
    let mut code = String::new();
    for wanted in ["TSP", "TRC"] {
        for classification in commodity.all("Classification") {
            if classification.value(&["IdentificationTypeCode"])?.as_deref() == Some(wanted) {
                code.push_str(&classification.value(&["ID"])?.unwrap_or_default());
            }
        }
    }
    Ok((!code.is_empty()).then_some(code))
}

/// The requested procedure with the previous one behind it (DE 1/10).
fn procedure(item: &Node) -> Result<Option<String>, DocumentError> {
    for procedure in item.all("GovernmentProcedure") {
        if let (Some(current), Some(previous)) =
            (procedure.value(&["CurrentCode"])?, procedure.value(&["PreviousCode"])?)
        {
            return Ok(Some(current + &previous));
        }
    }
    Ok(None)
}

const fn text(name: &'static str, path: &'static [&'static str]) -> Entry {
    Entry { name, path, take: Take::Text }
}

const fn of(name: &'static str, path: &'static [&'static str], take: Take) -> Entry {
    Entry { name, path, take }
}

/// A statement, of a declaration, an item or a notice.
pub const STATEMENT: [Entry; 5] = [
    text("code", &["StatementCode"]),
    text("text", &["StatementDescription"]),
    text("type", &["StatementTypeCode"]),
    of("limit", &["LimitDateTime"], Take::Moment),
    of("pointer", &[], Take::Pointer),
];

/// What an amendment changes.
pub const AMENDMENT: [Entry; 2] = [text("reason", &["ChangeReasonCode"]), of("pointer", &[], Take::Pointer)];

const DOCUMENT: [Entry; 9] = [
    text("category", &["CategoryCode"]),
    text("type", &["TypeCode"]),
    text("id", &["ID"]),
    text("name", &["Name"]),
    text("status", &["LPCOExemptionCode"]),
    of("valid_until", &["EffectiveDateTime"], Take::Moment),
    text("issuer", &["Submitter", "Name"]),
    of("written_off", &["WriteOff", "QuantityQuantity"], Take::Quantity),
    of("written_off_amount", &["WriteOff", "AmountAmount"], Take::Declared),
];

const PREVIOUS: [Entry; 5] = [
    text("category", &["CategoryCode"]),
    text("type", &["TypeCode"]),
    text("id", &["ID"]),
    text("line", &["LineNumeric"]),
    text("sequence", &["SequenceNumeric"]),
];

const MEANS: [Entry; 5] = [
    text("id", &["ID"]),
    text("id_type", &["IdentificationTypeCode"]),
    text("mode", &["ModeCode"]),
    text("nationality", &["RegistrationNationalityCode"]),
    text("name", &["Name"]),
];

const SEAL: [Entry; 2] = [text("sequence", &["SequenceNumeric"]), text("id", &["ID"])];

const CONTAINER: [Entry; 3] =
    [text("sequence", &["SequenceNumeric"]), text("id", &["ID"]), of("seals", &["Seal"], Take::Each(&SEAL))];

const LOCATION: [Entry; 8] = [
    text("name", &["Name"]),
    text("id", &["ID"]),
    text("type", &["TypeCode"]),
    text("qualifier", &["Address", "TypeCode"]),
    text("country", &["Address", "CountryCode"]),
    text("line", &["Address", "Line"]),
    text("city", &["Address", "CityName"]),
    text("postcode", &["Address", "PostcodeID"]),
];

const ADJUSTMENT: [Entry; 2] =
    [text("type", &["ChargesTypeCode"]), of("amount", &["OtherChargeDeductionAmount"], Take::Declared)];

/// A duty or tax, declared or assessed.
pub const DUTY: [Entry; 14] = [
    text("type", &["TypeCode"]),
    text("regime", &["DutyRegimeCode"]),
    of("base", &["AdValoremTaxBaseAmount"], Take::Assessed),
    of("base_quantity", &["SpecificTaxBaseQuantity"], Take::Quantity),
    of("rate", &["TaxRateNumeric"], Take::Decimal),
    of("deducted", &["DeductAmount"], Take::Assessed),
    text("quota", &["QuotaOrderID"]),
    of("assessed", &["Payment", "TaxAssessedAmount"], Take::Assessed),
    of("payable", &["Payment", "PaymentAmount"], Take::Assessed),
    text("method", &["Payment", "MethodCode"]),
    text("payment_reference", &["Payment", "ReferenceID"]),
    of("due", &["Payment", "DueDateTime"], Take::Moment),
    text("guarantee", &["Payment", "ObligationGuarantee", "ReferenceID"]),
    text("guarantee_id", &["Payment", "ObligationGuarantee", "ID"]),
];

const GUARANTEE: [Entry; 6] = [
    text("id", &["ID"]),
    text("reference", &["ReferenceID"]),
    text("type", &["SecurityDetailsCode"]),
    of("amount", &["AmountAmount"], Take::Declared),
    text("access_code", &["AccessCode"]),
    text("office", &["GuaranteeOffice", "ID"]),
];

const AUTHORISATION: [Entry; 2] = [text("id", &["ID"]), text("category", &["CategoryCode"])];

const ROUTE: [Entry; 2] = [text("sequence", &["SequenceNumeric"]), text("country", &["RoutingCountryCode"])];

const PROCEDURE: [Entry; 2] = [text("current", &["CurrentCode"]), text("previous", &["PreviousCode"])];

const CLASSIFICATION: [Entry; 2] = [text("id", &["ID"]), text("type", &["IdentificationTypeCode"])];

const PACKAGE: [Entry; 8] = [
    text("sequence", &["SequenceNumeric"]),
    text("type", &["TypeCode"]),
    of("quantity", &["QuantityQuantity"], Take::Decimal),
    text("marks", &["MarksNumbersID"]),
    of("volume", &["VolumeMeasure"], Take::Quantity),
    of("length", &["LengthMeasure"], Take::Quantity),
    of("width", &["WidthMeasure"], Take::Quantity),
    of("height", &["HeightMeasure"], Take::Quantity),
];

const ORIGIN: [Entry; 3] =
    [text("country", &["CountryCode"]), text("type", &["TypeCode"]), text("region", &["RegionID"])];

const ROLE: [Entry; 3] = [text("id", &["ID"]), text("name", &["Name"]), text("role", &["RoleCode"])];

const DANGER: [Entry; 1] = [text("un_number", &["UNDGID"])];

const INVOICE: [Entry; 3] = [
    text("id", &["ID"]),
    of("issued", &["IssueDateTime"], Take::Moment),
    of("amount", &["AmountAmount"], Take::Declared),
];

/// All of a declaration but its goods items, its references and its parties.
const CONTENT: [Entry; 50] = [
    of("issued", &["IssueDateTime"], Take::Moment),
    of("accepted", &["AcceptanceDateTime"], Take::Moment),
    of("exit", &["ExitDateTime"], Take::Moment),
    text("procedure_category", &["ProcedureCategory"]),
    text("version", &["VersionID"]),
    text("ucr", &["GoodsShipment", "UCR", "TraderAssignedReferenceID"]),
    text("ucr_id", &["GoodsShipment", "UCR", "ID"]),
    of("goods_item_count", &["GoodsItemQuantity"], Take::Count),
    of("package_count", &["TotalPackageQuantity"], Take::Count),
    of("loading_list_count", &["LoadingListQuantity"], Take::Count),
    of("gross_mass", &["TotalGrossMassMeasure"], Take::Quantity),
    of("invoice_amount", &["InvoiceAmount"], Take::Declared),
    text("exchange_currency", &["CurrencyExchange", "CurrencyTypeCode"]),
    of("exchange_rate", &["CurrencyExchange", "RateNumeric"], Take::Decimal),
    text("special_circumstances", &["SpecificCircumstancesCodeCode"]),
    text("representation", &["Agent", "FunctionCode"]),
    text("declaration_office", &["DeclarationOfficeID"]),
    text("presentation_office", &["PresentationOffice", "ID"]),
    text("supervising_office", &["SupervisingOffice", "ID"]),
    text("exit_office", &["ExitOffice", "ID"]),
    text("signature", &["Authentication", "Authentication"]),
    of("border_transport", &["BorderTransportMeans"], Take::One(&MEANS)),
    of("departure_transport", &["GoodsShipment", "Consignment", "DepartureTransportMeans"], Take::One(&MEANS)),
    of("arrival_transport", &["GoodsShipment", "Consignment", "ArrivalTransportMeans"], Take::One(&MEANS)),
    of("containers", &["GoodsShipment", "Consignment", "TransportEquipment"], Take::Each(&CONTAINER)),
    text("containerised", &["GoodsShipment", "Consignment", "ContainerCode"]),
    of("goods_location", &["GoodsShipment", "Consignment", "GoodsLocation"], Take::One(&LOCATION)),
    of("loading_location", &["GoodsShipment", "Consignment", "LoadingLocation"], Take::One(&LOCATION)),
    of("route", &["Consignment", "Itinerary"], Take::Each(&ROUTE)),
    text("freight_payment_method", &["Consignment", "Freight", "PaymentMethodCode"]),
    text("export_country", &["GoodsShipment", "ExportCountry", "ID"]),
    text("destination_country", &["GoodsShipment", "Destination", "CountryCode"]),
    text("transaction_nature", &["GoodsShipment", "TransactionNatureCode"]),
    text("incoterm", &["GoodsShipment", "TradeTerms", "ConditionCode"]),
    text("incoterm_location", &["GoodsShipment", "TradeTerms", "LocationID"]),
    text("incoterm_location", &["GoodsShipment", "TradeTerms", "LocationName"]),
    text("warehouse", &["GoodsShipment", "Warehouse", "ID"]),
    text("warehouse_type", &["GoodsShipment", "Warehouse", "TypeCode"]),
    of("invoices", &["GoodsShipment", "Invoice"], Take::Each(&INVOICE)),
    of("freight_charge", &["GoodsShipment", "CustomsValuation", "FreightChargeAmount"], Take::Declared),
    of("adjustments", &["GoodsShipment", "CustomsValuation", "ChargeDeduction"], Take::Each(&ADJUSTMENT)),
    of("tax_parties", &["GoodsShipment", "DomesticDutyTaxParty"], Take::Each(&ROLE)),
    of("authorisations", &["AuthorisationHolder"], Take::Each(&AUTHORISATION)),
    of("guarantees", &["ObligationGuarantee"], Take::Each(&GUARANTEE)),
    of("documents", &["AdditionalDocument"], Take::Each(&DOCUMENT)),
    of("previous_documents", &["GoodsShipment", "PreviousDocument"], Take::Each(&PREVIOUS)),
    of("statements", &["AdditionalInformation"], Take::Each(&STATEMENT)),
    of("amendments", &["Amendment"], Take::Each(&AMENDMENT)),
    of("duties", &["DutyTaxFee"], Take::Each(&DUTY)),
    of("authorised_operators", &["GoodsShipment", "AEOMutualRecognitionParty"], Take::Each(&ROLE)),
];

const ITEM: [Entry; 29] = [
    text("description", &["Commodity", "Description"]),
    of("classifications", &["Commodity", "Classification"], Take::Each(&CLASSIFICATION)),
    of("procedures", &["GovernmentProcedure"], Take::Each(&PROCEDURE)),
    of("gross_mass", &["Commodity", "GoodsMeasure", "GrossMassMeasure"], Take::Quantity),
    of("net_mass", &["Commodity", "GoodsMeasure", "NetNetWeightMeasure"], Take::Quantity),
    of("supplementary_quantity", &["Commodity", "GoodsMeasure", "TariffQuantity"], Take::Quantity),
    of("item_charge", &["Commodity", "InvoiceLine", "ItemChargeAmount"], Take::Declared),
    of("statistical_value", &["StatisticalValueAmount"], Take::Declared),
    of("customs_value", &["CustomsValueAmount"], Take::Declared),
    text("valuation_method", &["CustomsValuation", "MethodCode"]),
    of("freight_charge", &["CustomsValuation", "FreightChargeAmount"], Take::Declared),
    of("adjustments", &["CustomsValuation", "ChargeDeduction"], Take::Each(&ADJUSTMENT)),
    text("valuation_indicators", &["ValuationAdjustment", "AdditionCode"]),
    of("origins", &["Origin"], Take::Each(&ORIGIN)),
    text("export_country", &["ExportCountry", "ID"]),
    text("destination_country", &["Destination", "CountryCode"]),
    text("transaction_nature", &["TransactionNatureCode"]),
    text("ucr", &["UCR", "TraderAssignedReferenceID"]),
    of("packages", &["Packaging"], Take::Each(&PACKAGE)),
    of("containers", &["Commodity", "TransportEquipment"], Take::Each(&CONTAINER)),
    of("dangerous_goods", &["Commodity", "DangerousGoods"], Take::Each(&DANGER)),
    of("duties", &["Commodity", "DutyTaxFee"], Take::Each(&DUTY)),
    of("documents", &["AdditionalDocument"], Take::Each(&DOCUMENT)),
    of("previous_documents", &["PreviousDocument"], Take::Each(&PREVIOUS)),
    of("statements", &["AdditionalInformation"], Take::Each(&STATEMENT)),
    of("tax_parties", &["DomesticDutyTaxParty"], Take::Each(&ROLE)),
    of("authorised_operators", &["AEOMutualRecognitionParty"], Take::Each(&ROLE)),
    text("freight_payment_method", &["Freight", "PaymentMethodCode"]),
    text("ucr_id", &["UCR", "ID"]),
];
