//! Reports of the declaration information service: status of a declaration, its versions, or all of it.

use super::super::envelope::{Envelope, Fact, Record};
use super::super::error::{DocumentError, Field};
use super::super::tree::Node;
use super::take::{Entry, Take, facts};
use super::{FORMAT, WCO, check_mrn, collect, declaration};

/// A report: root, namespace, kind, and what holds one declaration or one version of it.
struct Report {
    element: &'static str,
    space: &'static str,
    kind: &'static str,
    detail: &'static str,
}

const REPORTS: [Report; 3] = [
    Report {
        element: "DeclarationStatusResponse",
        space: "http://gov.uk/customs/declarationInformationRetrieval/status/v2",
        kind: "declaration_status",
        detail: "DeclarationStatusDetails",
    },
    Report {
        element: "DeclarationVersionResponse",
        space: "http://gov.uk/customs/retrieveDeclarationVersion",
        kind: "declaration_versions",
        detail: "DeclarationVersionDetails",
    },
    Report {
        element: "DeclarationFullResponse",
        space: "http://gov.uk/customs/FullDeclarationDataRetrievalService",
        kind: "declaration_report",
        detail: "FullDeclarationDataDetails",
    },
];

const fn text(name: &'static str, path: &'static [&'static str]) -> Entry {
    Entry { name, path, take: Take::Text }
}

const fn count(name: &'static str, path: &'static [&'static str]) -> Entry {
    Entry { name, path, take: Take::Count }
}

const fn moment(name: &'static str, path: &'static [&'static str]) -> Entry {
    Entry { name, path, take: Take::Moment }
}

const VALUE: [Entry; 2] =
    [text("item", &["ItemNumber"]), Entry { name: "customs_value", path: &["CustomsValue"], take: Take::Assessed }];

/// What the service says of a declaration, beside what was declared.
const SUMMARY: [Entry; 33] = [
    text("mrn", &["Declaration", "ID"]),
    text("mrn", &["HighLevelSummaryDetails", "MRN"]),
    text("lrn", &["Declaration", "LRN"]),
    text("lrn", &["HighLevelSummaryDetails", "LRN"]),
    text("ucr", &["HighLevelSummaryDetails", "DUCRandPartID"]),
    text("version", &["Declaration", "VersionID"]),
    text("version", &["HighLevelSummaryDetails", "VersionID"]),
    moment("created", &["Declaration", "CreatedDateTime"]),
    moment("created", &["HighLevelSummaryDetails", "CreatedDateTime"]),
    moment("received", &["Declaration", "ReceivedDateTime"]),
    moment("accepted", &["Declaration", "AcceptanceDateTime"]),
    moment("accepted", &["HighLevelSummaryDetails", "AcceptanceDateTime"]),
    moment("released", &["Declaration", "GoodsReleasedDateTime"]),
    moment("cancelled", &["Declaration", "CancellationDateTime"]),
    moment("finalised", &["HighLevelSummaryDetails", "FinalisedDateTime"]),
    moment("arrived", &["GeneratedConsignmentDetails", "GoodsArrivalDateTime"]),
    text("roe", &["Declaration", "ROE"]),
    text("roe", &["GeneratedConsignmentDetails", "ROE"]),
    text("ics", &["Declaration", "ICS"]),
    text("ics", &["GeneratedConsignmentDetails", "StatusOfEntry-ICS"]),
    text("irc", &["Declaration", "IRC"]),
    text("function_code", &["Declaration", "FunctionCode"]),
    text("type_code", &["Declaration", "TypeCode"]),
    count("goods_item_count", &["Declaration", "GoodsItemQuantity"]),
    count("package_count", &["Declaration", "TotalPackageQuantity"]),
    text("goods_location", &["HighLevelSummaryDetails", "GoodsLocationCode"]),
    text("submitter", &["GeneratedConsignmentDetails", "SubmitterID"]),
    text("exit_office", &["GeneratedConsignmentDetails", "DeclaredCustomsExitOffice"]),
    Entry {
        name: "statistical_value",
        path: &["GeneratedConsignmentDetails", "StatisticalValue"],
        take: Take::Assessed,
    },
    Entry { name: "item_values", path: &["GeneratedItemLevelConsignmentDetails"], take: Take::Each(&VALUE) },
    text("master_ucr", &["HighLevelSummaryDetails", "MUCR"]),
    text("duplicate", &["HighLevelSummaryDetails", "DuplicateIndicator"]),
    text("part", &["HighLevelSummaryDetails", "DUCRPartID"]),
];

/// What the second declaration element adds, of what was declared.
const DECLARED: [Entry; 4] = [
    text("function_code", &["FunctionCode"]),
    text("type_code", &["TypeCode"]),
    count("goods_item_count", &["GoodsItemQuantity"]),
    count("package_count", &["TotalPackageQuantity"]),
];

/// Reads a report; nothing if it is none.
///
/// # Errors
/// `MissingField` without a declaration in it, and whatever is wrong with a date or an amount.
pub fn read(root: &Node) -> Result<Option<Envelope>, DocumentError> {
    let known = REPORTS.iter().find(|report| report.element == root.name() && report.space == root.space());
    let Some(report) = known else { return Ok(None) };
    root.admit(&|space| space == report.space || space.starts_with(WCO));
    let mut envelope = Envelope::new(FORMAT, report.kind);
    let mut details = Vec::new();
    for node in root.all(report.detail) {
        details.push(detail(node, &mut envelope)?);
    }
    let first = details.first().ok_or(DocumentError::MissingField { field: Field::Named("declaration") })?;
    if let Some(Fact::Text(mrn)) = first.get("mrn") {
        envelope.number = Some(mrn.clone());
    }
    let mrn = envelope.number.clone();
    check_mrn(mrn.as_deref(), &mut envelope);
    envelope.facts.set("declarations", details);
    collect(root, &mut envelope)?;
    Ok(Some(envelope))
}

fn detail(node: &Node, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut found = facts(node, &SUMMARY, envelope)?;
    for declared in node.all("Declaration").skip(1) {
        for (name, fact) in facts(declared, &DECLARED, envelope)?.iter() {
            found.set(name, fact.clone());
        }
    }
    let full = node.at(&["FullDeclarationObject", "Declaration"]);
    for declared in node.all("Declaration").skip(1).chain(full) {
        let mut inner = Envelope::new(FORMAT, "declared");
        for (name, fact) in facts(declared, &DECLARED, &mut inner)?.iter() {
            inner.facts.set(name, fact.clone());
        }
        declaration::content(declared, &mut inner)?;
        found.set("declared", inner.facts);
        inner.warnings.into_iter().for_each(|warning| envelope.warnings.push(warning));
    }
    Ok(found)
}
