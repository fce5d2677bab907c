//! Moving the devnet's business date, and waiting for what follows.

use std::time::Duration;

use portolan_primitives::BusinessDate;
use serde_json::Value;

use super::cast::PLATFORM;
use super::layout::Layout;
use super::network;
use crate::client::Client;
use crate::clock;
use crate::contracts::message;
use crate::error::{CliError, CliResult};
use crate::keystore::Keystore;
use crate::submit::{self, DEFAULT_GAS, Signer};
use portolan_runtime::native::clock::messages::Call as ClockCall;

/// Longest without any move of the date before the wait is given up.
const STILL: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Sets how far the business date runs, and waits until it is there with that day's agenda done.
pub fn advance(layout: &Layout, to: BusinessDate) -> CliResult<BusinessDate> {
    let (_, client) = network::live_clients(layout)?;
    let status = client.get("/v1/status")?;
    let foreign = || CliError::refused("foreign_answer", "a node's status has no chain");
    let chain = status["chain"].as_str().and_then(|text| text.parse().ok()).ok_or_else(foreign)?;
    let keystore = Keystore::new(layout.keystore(), Some(layout.passphrase()));
    let names = keystore.keys_of(&PLATFORM.account_name())?;
    let keys: Result<Vec<_>, _> = names.iter().map(|name| keystore.open(name)).collect();
    let signer = Signer { account: PLATFORM.account(), keys: keys? };
    let calls = vec![message("clock", &ClockCall::AdvanceTo { date: to })];
    submit::run(&client, &submit::build(chain, &signer, calls, DEFAULT_GAS)?)?;
    wait_for_date(&client, to)?;
    date_of(&client.get("/v1/status")?)
}

/// The business date in a status.
pub fn date_of(status: &Value) -> CliResult<BusinessDate> {
    let foreign = || CliError::refused("foreign_answer", "a node's status has no business date");
    status["business_date"].as_str().and_then(|text| text.parse().ok()).ok_or_else(foreign)
}

/// Waits until the business date is `to` and nothing that is due by then is left on the agenda.
pub fn wait_for_date(client: &Client, to: BusinessDate) -> CliResult<()> {
    wait(|| {
        let date = date_of(&client.get("/v1/status")?)?;
        let agenda = client.get("/v1/agenda?limit=1")?;
        let next = agenda["entries"][0]["due"].as_str().and_then(|text| text.parse::<BusinessDate>().ok());
        Ok((date >= to && next.is_none_or(|due| due > to), (date, agenda)))
    })
}

/// Waits until a node has the block at `height`.
pub fn wait_for_height(client: &Client, height: u64) -> CliResult<()> {
    wait(|| {
        let found = client.get("/v1/status")?["height"].as_u64().unwrap_or_default();
        Ok((found >= height, found))
    })
}

/// Asks until the answer is what was waited for. What the answer shows must change now and then, or the wait ends.
fn wait<T: PartialEq>(mut ask: impl FnMut() -> CliResult<(bool, T)>) -> CliResult<()> {
    let mut last: Option<T> = None;
    let mut deadline = clock::after(STILL);
    loop {
        let (done, shown) = ask()?;
        if done {
            return Ok(());
        }
        if last.as_ref() != Some(&shown) {
            last = Some(shown);
            deadline = clock::after(STILL);
        }
        if clock::now() > deadline {
            let message = "nothing moves for a minute; `./scripts/portolan doctor` says why no block comes";
            return Err(CliError::refused("stalled", message));
        }
        clock::pause(PAUSE);
    }
}
