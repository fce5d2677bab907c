//! What falls due, with each message in the words of the contract that it goes to.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use codec::{DecodeAll, Encode};
use portolan_primitives::{AgendaId, BusinessDate, Call};
use portolan_runtime::native::Native;
use portolan_runtime::native::agenda::{EntryView, messages::Query};
use portolan_runtime::{Ledger, facts};
use serde_json::{Value, json};

use super::catalog::Catalog;
use super::identity::Identity;
use super::limits::QUESTION_GAS;
use super::policy::Resource;
use super::problem::{Answer, Problem};
use super::{Shared, bad_parameter, from_host, only, page, pairs, parameter, receipts};

/// GET /v1/agenda: waiting entries in the order in which they run.
pub async fn list(State(api): State<Shared>, identity: Identity, uri: Uri) -> Answer<Json<Value>> {
    identity.may_see(&Resource::Agenda)?;
    let pairs = pairs(&uri)?;
    only(&pairs, &["from", "limit", "cursor"])?;
    let limit = page(&pairs)?;
    let (from, after) = match parameter::<String>(&pairs, "cursor")? {
        Some(cursor) => read_cursor(&cursor)?,
        None => (parameter::<BusinessDate>(&pairs, "from")?, None),
    };
    let caller = identity.reader.caller().ok_or_else(|| Problem::host("the agenda was shown to nobody"))?;
    let tip = api.handle.tip();
    let input = Query::Waiting { from, after, limit: limit as u32 }.encode();
    let outcome = api.handle.query(tip.clone(), Native::Agenda.id(), input, caller, QUESTION_GAS).await?;
    let output = outcome.result.map_err(|reason| Problem::host(format!("the agenda is not answered: {reason:?}")))?;
    let entries = Vec::<EntryView>::decode_all(&mut output.as_slice()).map_err(Problem::host)?;
    let view = tip.view.clone();
    let date = api.handle.read(move |_| facts::cursor(&mut Ledger::new(view)).map_err(from_host)).await?.date;
    let catalog = api.catalog(&tip).await?;
    let next = entries.last().filter(|_| entries.len() as u64 == limit).map(cursor);
    let entries: Vec<Value> = entries.iter().map(|entry| shown(&catalog, entry)).collect();
    Ok(Json(json!({ "business_date": date, "entries": entries, "next": next })))
}

fn shown(catalog: &Catalog, EntryView { id, entry }: &EntryView) -> Value {
    let message = Call { contract: entry.contract, input: entry.message.clone() };
    json!({
        "id": id,
        "due": entry.due,
        "run_on": entry.run_on,
        "contract": catalog.name(&entry.contract),
        "message": receipts::message(catalog, &message),
        "attempt": entry.attempt,
        "gas": entry.gas,
    })
}

/// Goes on after an entry.
fn cursor(entry: &EntryView) -> String {
    format!("{}:{}", entry.entry.run_on, entry.id)
}

fn read_cursor(text: &str) -> Answer<(Option<BusinessDate>, Option<AgendaId>)> {
    let parts = text.split_once(':').and_then(|(day, id)| Some((day.parse().ok()?, id.parse().ok()?)));
    let (day, id) = parts.ok_or_else(|| bad_parameter("cursor", "`cursor` is the `next` of an earlier answer"))?;
    Ok((Some(day), Some(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_day_and_an_entry() {
        let day: BusinessDate = "2026-05-01".parse().unwrap();
        let id = AgendaId([7; 32]);
        assert_eq!(read_cursor(&format!("{day}:{id}")), Ok((Some(day), Some(id))));
        for text in ["", "2026-05-01", "2026-05-01:", "x:due1", "2026-02-30:due1"] {
            assert_eq!(read_cursor(text).unwrap_err().code, "bad_parameter", "{text}");
        }
    }
}
