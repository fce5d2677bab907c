//! The business date: a cursor in the state that moves a day on only when that day's agenda entries are done.
//!
//! In production a day begins at midnight of a zone that is given as explicit data. On a devnet the clock may be steered: it
//! stands at a date, and moves at a day length of block time up to the date that a call sets. Must never read a clock.

use codec::{Decode, Encode};
use portolan_primitives::{BusinessDate, Hash, Timestamp};
use portolan_sdk::metadata::ContractMetadata;
use portolan_vm::HostResult;
use scale_info::TypeInfo;

use super::records::Record;
use super::{Context, Native, NativeError, NativeModule, NativeResult, decode_message};
use crate::genesis::{BusinessClock, NetworkKind, Zone};
use crate::ledger::{Ledger, fault};

const DAY_MS: u64 = 86_400_000;

/// What the chain is; never changes after genesis.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Whether money and claims are real.
    pub kind: NetworkKind,
    /// How the date moves.
    pub clock: BusinessClock,
    /// Commitment to the secret of the members' nodes.
    pub secret_commitment: Hash,
}

impl Record for Network {
    const MODULE: Native = Native::Clock;
    const PREFIX: u8 = 1;
    type Id = ();
}

/// Where the date stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Cursor {
    /// The business date.
    pub date: BusinessDate,
    /// A steered clock moves up to here.
    pub target: BusinessDate,
    /// A steered clock's day began at this block time.
    pub since: Timestamp,
}

impl Record for Cursor {
    const MODULE: Native = Native::Clock;
    const PREFIX: u8 = 2;
    type Id = ();
}

/// The day of `time` in `zone`.
pub fn day_in(zone: &Zone, time: Timestamp) -> BusinessDate {
    let offset = zone.offsets.iter().rev().find(|offset| offset.from <= time).or(zone.offsets.first());
    let shift = offset.map_or(0, |offset| i64::from(offset.seconds) * 1000);
    let days = (time.0 as i64).saturating_add(shift).div_euclid(DAY_MS as i64);
    BusinessDate(days.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
}

/// The first block time whose day in `zone` is after `date`, looked for from `from` on.
fn next_day_begins(zone: &Zone, date: BusinessDate, from: Timestamp) -> Timestamp {
    let midnight = |seconds: i32| (i64::from(date.0) + 1) * DAY_MS as i64 - i64::from(seconds) * 1000;
    let mut begins: Vec<Timestamp> =
        zone.offsets.iter().map(|offset| Timestamp(midnight(offset.seconds).max(0) as u64)).collect();
    begins.extend(zone.offsets.iter().map(|offset| offset.from));
    begins.sort_unstable();
    let later = begins.into_iter().filter(|time| *time >= from);
    later.into_iter().find(|time| day_in(zone, *time) > date).unwrap_or(Timestamp(u64::MAX))
}

/// When the date may next move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moves {
    /// At this block time; now, if it is past.
    From(Timestamp),
    /// Not before somebody sets a later target.
    Stands,
}

impl Cursor {
    /// From when on the date may be one day later.
    pub(crate) fn moves(&self, clock: &BusinessClock) -> Moves {
        match clock {
            BusinessClock::Real(zone) => Moves::From(next_day_begins(zone, self.date, Timestamp(0))),
            BusinessClock::Steered { .. } if self.date >= self.target => Moves::Stands,
            BusinessClock::Steered { day_length_ms, .. } => {
                Moves::From(Timestamp(self.since.0.saturating_add(*day_length_ms)))
            }
        }
    }

    /// Moves one day on, if the clock allows it in a block at `time`; the caller has seen that the day's entries are done.
    pub(crate) fn advance(&mut self, clock: &BusinessClock, time: Timestamp) -> bool {
        let may = match clock {
            // Offsets may fold back: only the day itself decides.
            BusinessClock::Real(zone) => day_in(zone, time) > self.date,
            BusinessClock::Steered { .. } => matches!(self.moves(clock), Moves::From(from) if from <= time),
        };
        if may {
            self.date = self.date.plus_days(1);
            if let BusinessClock::Steered { day_length_ms, .. } = clock {
                self.since = Timestamp(self.since.0.saturating_add(*day_length_ms));
            }
        }
        may
    }
}

/// The chain's own description, which genesis wrote.
pub(crate) fn network(ledger: &mut Ledger) -> HostResult<Network> {
    ledger.get::<Network>(&())?.ok_or_else(|| fault("the state has no network record: it is not a state after genesis"))
}

/// Where the date stands.
pub(crate) fn cursor(ledger: &mut Ledger) -> HostResult<Cursor> {
    ledger.get::<Cursor>(&())?.ok_or_else(|| fault("the state has no business date: it is not a state after genesis"))
}

/// Why a message about the clock was refused.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ClockError {
    /// The business date of this network follows real days; only a devnet's clock is steered.
    #[codec(index = 0)]
    NotSteered,
    /// The business date never goes back.
    #[codec(index = 1)]
    InThePast {
        /// The business date.
        date: BusinessDate,
    },
    /// A target lies at most 100 years ahead.
    #[codec(index = 2)]
    TooFar,
    /// Only the sender of a transaction may do this, not a contract.
    #[codec(index = 3)]
    NotTopLevel,
}

/// What happened to the date.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ClockEvent {
    /// The business date moved.
    #[codec(index = 0)]
    DateMoved {
        /// Before.
        from: BusinessDate,
        /// Now.
        to: BusinessDate,
    },
    /// A devnet's clock will move up to this date.
    #[codec(index = 1)]
    TargetSet {
        /// The date.
        date: BusinessDate,
    },
}

/// The clock as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ClockView {
    /// The business date.
    pub date: BusinessDate,
    /// Where a steered clock moves to; none for real days.
    pub target: Option<BusinessDate>,
    /// Block time of a steered day, ms; none for real days.
    pub day_length_ms: Option<u64>,
    /// Name of the zone of real days.
    pub zone: Option<String>,
    /// Whether money and claims are real.
    pub kind: NetworkKind,
    /// Name of the network.
    pub network: String,
}

/// The business date.
#[portolan_sdk::interface(name = "clock", error = ClockError, event = ClockEvent, module = messages)]
pub trait Messages {
    /// Devnet only: lets the business date run up to `date`.
    #[call(index = 0)]
    fn advance_to(&mut self, date: BusinessDate) -> Result<(), ClockError>;
    /// The business date and how it moves.
    #[query(index = 0, path = "/clock")]
    fn now(&self) -> Result<ClockView, ClockError>;
}

/// Days that a target may lie ahead: 100 years.
const MAX_AHEAD: i32 = 36_525;

/// The module.
pub struct Clock;

impl NativeModule for Clock {
    fn metadata(&self) -> ContractMetadata {
        messages::metadata()
    }

    fn call(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        let messages::Call::AdvanceTo { date } = decode_message(input)?;
        advance_to(context, date)?;
        Ok(().encode())
    }

    fn query(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        let messages::Query::Now = decode_message(input)?;
        let network = read::<Network>(context)?;
        let cursor = read::<Cursor>(context)?;
        let (target, day_length_ms, zone) = match network.clock {
            BusinessClock::Real(zone) => (None, None, Some(zone.name)),
            BusinessClock::Steered { day_length_ms, .. } => (Some(cursor.target), Some(day_length_ms), None),
        };
        let Network { name, kind, .. } = network;
        Ok(ClockView { date: cursor.date, target, day_length_ms, zone, kind, network: name }.encode())
    }
}

fn read<R: Record<Id = ()>>(context: &mut Context<'_>) -> NativeResult<R> {
    let record = context.get::<R>(&())?;
    record.ok_or_else(|| NativeError::Fault(fault("the state has no clock: it is not a state after genesis")))
}

fn advance_to(context: &mut Context<'_>, date: BusinessDate) -> NativeResult<()> {
    let refused = |error| Err(NativeError::refused(error));
    let network = read::<Network>(context)?;
    if network.kind != NetworkKind::Devnet || matches!(network.clock, BusinessClock::Real(_)) {
        return refused(ClockError::NotSteered);
    }
    if context.sender().is_none() {
        return refused(ClockError::NotTopLevel);
    }
    let mut cursor = read::<Cursor>(context)?;
    if date < cursor.date {
        return refused(ClockError::InThePast { date: cursor.date });
    }
    if date > cursor.date.plus_days(MAX_AHEAD) {
        return refused(ClockError::TooFar);
    }
    if cursor.date >= cursor.target {
        // It stood: its day begins to run now.
        cursor.since = context.block().time;
    }
    cursor.target = date;
    context.put(&(), &cursor)?;
    context.emit(&ClockEvent::TargetSet { date })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genesis::ZoneOffset;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    fn shanghai() -> Zone {
        Zone { name: "Asia/Shanghai".into(), offsets: vec![ZoneOffset { from: Timestamp(0), seconds: 8 * 3600 }] }
    }

    /// Midnight UTC of a day.
    fn utc(text: &str) -> u64 {
        date(text).0 as u64 * DAY_MS
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_zone() {
        let eve = Timestamp(utc("2026-03-01") + 16 * 3_600_000 - 1);
        assert_eq!(day_in(&shanghai(), eve), date("2026-03-01"));
        assert_eq!(day_in(&shanghai(), Timestamp(eve.0 + 1)), date("2026-03-02"));
    }

    #[test]
    fn summer_time_is_data() {
        let offsets = vec![
            ZoneOffset { from: Timestamp(0), seconds: 3600 },
            ZoneOffset { from: Timestamp(utc("2026-03-29") + 3_600_000), seconds: 7200 },
        ];
        let berlin = Zone { name: "Europe/Berlin".into(), offsets };
        let moves = |on: &str| {
            let cursor = Cursor { date: date(on), target: date(on), since: Timestamp(0) };
            cursor.moves(&BusinessClock::Real(berlin.clone()))
        };
        assert_eq!(moves("2026-03-27"), Moves::From(Timestamp(utc("2026-03-28") - 3_600_000)));
        assert_eq!(moves("2026-03-29"), Moves::From(Timestamp(utc("2026-03-30") - 7_200_000)));
    }

    #[test]
    fn a_steered_clock_moves_a_day_at_a_time_up_to_its_target_and_stands_there() {
        let clock = BusinessClock::Steered { start: date("2026-01-01"), day_length_ms: 100 };
        let mut cursor = Cursor { date: date("2026-01-01"), target: date("2026-01-03"), since: Timestamp(1_000) };
        assert!(!cursor.advance(&clock, Timestamp(1_099)));
        assert!(cursor.advance(&clock, Timestamp(1_100)));
        assert!(!cursor.advance(&clock, Timestamp(1_199)));
        assert!(cursor.advance(&clock, Timestamp(50_000)));
        assert_eq!(cursor.date, date("2026-01-03"));
        assert!(!cursor.advance(&clock, Timestamp(90_000)));
        assert_eq!(cursor.moves(&clock), Moves::Stands);
    }

    #[test]
    fn a_real_clock_reaches_the_day_of_the_block_one_day_at_a_time() {
        let clock = BusinessClock::Real(shanghai());
        let mut cursor = Cursor { date: date("2026-02-27"), target: date("2026-02-27"), since: Timestamp(0) };
        let time = Timestamp(utc("2026-03-01"));
        let mut days = vec![];
        while cursor.advance(&clock, time) {
            days.push(cursor.date);
        }
        assert_eq!(days, [date("2026-02-28"), date("2026-03-01")]);
    }
}
