//! Which message a file holds: by its namespace, or by the element's name where there is none.

/// A message of one of the three areas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// `pain`, `pacs` or `camt`.
    pub area: &'static str,
    /// The message's number in its area, three digits.
    number: String,
    /// Variant and version, such as `001.08`, where the file says it.
    pub version: Option<String>,
}

const AREAS: [&str; 3] = ["pain", "pacs", "camt"];

impl Kind {
    /// The kind of a namespace of ISO, or of SWIFT from before, such as `urn:iso:std:iso:20022:tech:xsd:pain.001.001.09`.
    pub fn of_namespace(space: &str) -> Option<Self> {
        let name =
            space.strip_prefix("urn:iso:std:iso:20022:tech:xsd:").or_else(|| space.strip_prefix("urn:swift:xsd:"))?;
        Self::of_name(name.trim_start_matches('$'))
    }

    /// The kind of a message's element: a name of the table, or in the oldest versions the message's own name.
    pub fn of_element(name: &str) -> Option<Self> {
        if let Some(kind) = Self::of_name(name) {
            return Some(kind);
        }
        let (_, area, number) = ELEMENTS.iter().find(|(element, _, _)| *element == name)?;
        Some(Self { area, number: (*number).to_owned(), version: None })
    }

    /// The kind of a name such as `pain.001.001.09` or `pacs.002.001.03.ch.02`.
    fn of_name(name: &str) -> Option<Self> {
        let mut parts = name.splitn(3, '.');
        let area = parts.next()?;
        let area = AREAS.into_iter().find(|known| *known == area)?;
        let number = parts.next().filter(|part| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        let version = parts.next().filter(|rest| {
            rest.len() <= 32 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_')
        })?;
        Some(Self { area, number: number.to_owned(), version: Some(version.to_owned()) })
    }

    /// Area and number: `pain.001`.
    pub fn short(&self) -> String {
        format!("{}.{}", self.area, self.number)
    }

    /// With variant and version where they are known: `pain.001.001.09`.
    pub fn full(&self) -> String {
        match &self.version {
            Some(version) => format!("{}.{version}", self.short()),
            None => self.short(),
        }
    }
}

/// Elements of messages, with area and number.
#[rustfmt::skip]
const ELEMENTS: [(&str, &str, &str); 84] = [
    ("CstmrCdtTrfInitn", "pain", "001"), ("CstmrPmtStsRpt", "pain", "002"), ("CstmrPmtRvsl", "pain", "007"),
    ("CstmrDrctDbtInitn", "pain", "008"), ("MndtInitnReq", "pain", "009"), ("MndtAmdmntReq", "pain", "010"),
    ("MndtCxlReq", "pain", "011"), ("MndtAccptncRpt", "pain", "012"), ("CdtrPmtActvtnReq", "pain", "013"),
    ("CdtrPmtActvtnReqStsRpt", "pain", "014"), ("MndtCpyReq", "pain", "017"), ("MndtSspnsnReq", "pain", "018"),
    ("FIToFIPmtStsRpt", "pacs", "002"), ("FIToFICstmrDrctDbt", "pacs", "003"), ("PmtRtr", "pacs", "004"),
    ("FIToFIPmtRvsl", "pacs", "007"), ("FIToFICstmrCdtTrf", "pacs", "008"), ("FICdtTrf", "pacs", "009"),
    ("FIDrctDbt", "pacs", "010"), ("FIToFIPmtStsReq", "pacs", "028"), ("MulSttlmReq", "pacs", "029"),
    ("GetAcct", "camt", "003"), ("RtrAcct", "camt", "004"), ("GetTx", "camt", "005"), ("RtrTx", "camt", "006"),
    ("ModfyTx", "camt", "007"), ("CclTx", "camt", "008"), ("GetLmt", "camt", "009"), ("RtrLmt", "camt", "010"),
    ("ModfyLmt", "camt", "011"), ("DelLmt", "camt", "012"), ("GetMmb", "camt", "013"), ("RtrMmb", "camt", "014"),
    ("ModfyMmb", "camt", "015"), ("GetCcyXchgRate", "camt", "016"), ("RtrCcyXchgRate", "camt", "017"),
    ("GetBizDayInf", "camt", "018"), ("RtrBizDayInf", "camt", "019"), ("GetGnlBizInf", "camt", "020"),
    ("RtrGnlBizInf", "camt", "021"), ("BckpPmt", "camt", "023"), ("ModfyStgOrdr", "camt", "024"),
    ("Rct", "camt", "025"), ("UblToApply", "camt", "026"), ("ClmNonRct", "camt", "027"),
    ("AddtlPmtInf", "camt", "028"), ("RsltnOfInvstgtn", "camt", "029"), ("NtfctnOfCaseAssgnmt", "camt", "030"),
    ("RjctInvstgtn", "camt", "031"), ("CclCaseAssgnmt", "camt", "032"), ("ReqForDplct", "camt", "033"),
    ("Dplct", "camt", "034"), ("PrtryFrmtInvstgtn", "camt", "035"), ("DbtAuthstnRspn", "camt", "036"),
    ("DbtAuthstnReq", "camt", "037"), ("CaseStsRptReq", "camt", "038"), ("CaseStsRpt", "camt", "039"),
    ("LqdtyCdtTrf", "camt", "050"), ("LqdtyDbtTrf", "camt", "051"), ("BkToCstmrAcctRpt", "camt", "052"),
    ("BkToCstmrStmt", "camt", "053"), ("BkToCstmrDbtCdtNtfctn", "camt", "054"), ("CstmrPmtCxlReq", "camt", "055"),
    ("FIToFIPmtCxlReq", "camt", "056"), ("NtfctnToRcv", "camt", "057"), ("NtfctnToRcvCxlAdvc", "camt", "058"),
    ("NtfctnToRcvStsRpt", "camt", "059"), ("AcctRptgReq", "camt", "060"), ("PayInCall", "camt", "061"),
    ("PayInSchdl", "camt", "062"), ("PayInEvtAck", "camt", "063"), ("GetStgOrdr", "camt", "069"),
    ("RtrStgOrdr", "camt", "070"), ("DelStgOrdr", "camt", "071"), ("BkSvcsBllgStmt", "camt", "086"),
    ("ReqToModfyPmt", "camt", "087"), ("ChrgsPmtNtfctn", "camt", "105"), ("ChrgsPmtReq", "camt", "106"),
    ("ChqPresntmntNtfctn", "camt", "107"), ("ChqCxlOrStopReq", "camt", "108"), ("ChqCxlOrStopRpt", "camt", "109"),
    ("InvstgtnReq", "camt", "110"), ("InvstgtnRspn", "camt", "111"), ("AcctRptReq", "camt", "060"),
];
