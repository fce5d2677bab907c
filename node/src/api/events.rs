//! What contracts make known, as server-sent events: from a height on or from now, resumed where the reader left off.
//!
//! The stream reads blocks from the store and only wakes up by commits, so a slow reader loses nothing and holds nothing up. It
//! ends when its reader may read no more: each look into the store asks again whether the key still holds.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use portolan_primitives::{ContractId, Height, Origin, Transaction};
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use super::blocks::is_visible;
use super::identity::Identity;
use super::limits::{STREAM_EVENTS, STREAM_HEARTBEAT, STREAM_HEIGHTS};
use super::policy::Resource;
use super::problem::{Answer, Problem};
use super::{Shared, only, pairs, parameter, receipts};
use crate::handle::{self, CommittedBlock, ReadError, Tip};

const LAST_EVENT_ID: &str = "last-event-id";

/// The place of an event: its block, and its number among the block's events, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    height: u64,
    index: u64,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (height, index) = text.split_once(':')?;
        Some(Self { height: height.parse().ok()?, index: index.parse().ok()? })
    }
}

/// GET /v1/events.
pub async fn stream(State(api): State<Shared>, identity: Identity, headers: HeaderMap, uri: Uri) -> Answer<Response> {
    // Each event is judged by itself; nobody without a name gets a stream.
    identity.may_see(&Resource::Headers)?;
    let pairs = pairs(&uri)?;
    only(&pairs, &["from_height", "contract"])?;
    let place = api.streams.clone().try_acquire_owned();
    let place = place.map_err(|_| Problem::busy("too many streams are open; ask again in a moment"))?;
    // Subscribed before the tip is read: no block falls between.
    let commits = api.handle.subscribe();
    let tip = api.handle.tip();
    let contract = match parameter::<String>(&pairs, "contract")? {
        Some(name) => Some(super::questions::found(&*api.catalog(&tip).await?, &name)?.id),
        None => None,
    };
    let next = begin(&headers, parameter(&pairs, "from_height")?, tip.head.header.height)?;
    let lowest = api.handle.read(|reader| Ok(reader.chain.lowest()?)).await?;
    if next.height < lowest.0 {
        return Err(ReadError::BlockPruned { height: Height(next.height), lowest }.into());
    }
    let stopping = api.stopping.clone();
    let feed = Feed { api, identity, contract, next, ready: VecDeque::new(), commits, stopping, _place: place };
    let events = futures::stream::unfold(feed, |mut feed| async move {
        let event = feed.next().await?;
        Some((Ok::<_, Infallible>(event), feed))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(STREAM_HEARTBEAT)).into_response())
}

/// The first place that the stream shows.
fn begin(headers: &HeaderMap, from: Option<u64>, tip: Height) -> Answer<Place> {
    if let Some(last) = headers.get(LAST_EVENT_ID) {
        let last = last.to_str().ok().and_then(Place::read);
        let last = last.ok_or_else(|| Problem::bad("bad_event_id", "Last-Event-ID is the id of an event, as 12:0"))?;
        return Ok(Place { height: last.height, index: last.index.saturating_add(1) });
    }
    Ok(Place { height: from.unwrap_or(tip.0 + 1), index: 0 })
}

/// One reader's stream.
struct Feed {
    api: Shared,
    identity: Identity,
    contract: Option<ContractId>,
    next: Place,
    ready: VecDeque<Event>,
    commits: broadcast::Receiver<Arc<CommittedBlock>>,
    stopping: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    /// The next event; `None` ends the stream, which the reader then takes up again.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let tip = self.api.handle.tip();
            if self.next.height <= tip.head.header.height.0 {
                self.read(tip).await.ok()?;
                continue;
            }
            tokio::select! {
                () = super::stopped(&mut self.stopping) => return None,
                // Whether a block came or some were missed: the store has them all.
                committed = self.commits.recv() => if let Err(broadcast::error::RecvError::Closed) = committed {
                    return None;
                },
            }
        }
    }

    /// Reads the events of some blocks from the next place on.
    async fn read(&mut self, tip: Arc<Tip>) -> Answer<()> {
        let (identity, contract, from) = (self.identity.clone(), self.contract, self.next);
        let catalog = self.api.catalog(&tip).await?;
        let read = self.api.handle.read(move |reader| match identity.renewed(&tip) {
            Ok(identity) => collect(reader, &tip, &identity, contract, from).map(Ok),
            Err(problem) => Ok(Err(problem)),
        });
        let (found, next) = match read.await {
            Ok(read) => read?,
            // Many read at once; the blocks are still there at the next try.
            Err(ReadError::Busy) => {
                tokio::task::yield_now().await;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.next = next;
        for (place, event) in found {
            let id = format!("{}:{}", place.height, place.index);
            let shown = receipts::event(&catalog, &event);
            let name = shown["contract"].as_str().unwrap_or_default().to_owned();
            self.ready.push_back(Event::default().id(id).event(name).data(shown["event"].to_string()));
        }
        Ok(())
    }
}

type Found = (Vec<(Place, portolan_primitives::Event)>, Place);

fn collect(
    reader: &handle::Reader,
    tip: &Tip,
    identity: &Identity,
    contract: Option<ContractId>,
    from: Place,
) -> Result<Found, ReadError> {
    let mut found = Vec::new();
    let mut height = from.height;
    let end = tip.head.header.height.0.min(height.saturating_add(STREAM_HEIGHTS - 1));
    while height <= end && found.len() < STREAM_EVENTS {
        let first = if height == from.height { from.index } else { 0 };
        of_block(reader, tip, identity, contract, Place { height, index: first }, &mut found)?;
        height += 1;
    }
    Ok((found, Place { height, index: 0 }))
}

fn of_block(
    reader: &handle::Reader,
    tip: &Tip,
    identity: &Identity,
    contract: Option<ContractId>,
    from: Place,
    found: &mut Vec<(Place, portolan_primitives::Event)>,
) -> Result<(), ReadError> {
    let height = Height(from.height);
    let receipts = reader.chain.receipts(height)?.unwrap_or_default();
    let sees_all = is_visible(identity, tip, None)?;
    // Only who is party to some needs to know whose each is.
    let mut transactions: VecDeque<Transaction> = match sees_all {
        true => VecDeque::new(),
        false => reader.chain.transactions(height)?.unwrap_or_default().into(),
    };
    let mut index = 0;
    for receipt in receipts {
        let visible = sees_all
            || match receipt.receipt.origin {
                Origin::Transaction(_) => is_visible(identity, tip, transactions.pop_front().as_ref())?,
                _ => false,
            };
        for event in receipt.events {
            let wanted = contract.is_none_or(|contract| contract == event.contract);
            if visible && wanted && index >= from.index {
                found.push((Place { height: from.height, index }, event));
            }
            index += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resumed(id: &str) -> Answer<Place> {
        begin(&HeaderMap::from_iter([(LAST_EVENT_ID.parse().unwrap(), id.parse().unwrap())]), Some(1), Height(90))
    }

    #[test]
    fn a_stream_begins_now_or_from_a_height_or_after_the_last_event() {
        assert_eq!(begin(&HeaderMap::new(), None, Height(90)), Ok(Place { height: 91, index: 0 }));
        assert_eq!(begin(&HeaderMap::new(), Some(5), Height(90)), Ok(Place { height: 5, index: 0 }));
        assert_eq!(resumed("12:3"), Ok(Place { height: 12, index: 4 }));
        assert_eq!(resumed("12:18446744073709551615").map(|place| place.height), Ok(12));
    }

    #[test]
    fn an_id_that_no_event_has_is_refused() {
        for id in ["", "12", "12:", ":1", "a:b", "-1:0"] {
            assert_eq!(resumed(id).unwrap_err().code, "bad_event_id", "{id}");
        }
    }
}
