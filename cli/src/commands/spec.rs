//! `portolan chain-spec`: the file that a network begins with.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use portolan_chain_spec::{
    AccountSpec, ChainSpec, ClockSpec, CodeSource, ContractSpec, KeySpec, KindSpec, MemberSpec, OffsetSpec, PersonSpec,
    PolicySpec, SPEC_VERSION, SpecError, TierSpec, ValidatorSpec, built_in_contracts, code_hash, demo_calendar,
};
use portolan_primitives::{BusinessDate, Hash, PublicKey, Role};
use serde_json::{Value, json};

use super::member::RoleArg;
use crate::clock;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::output::columns;
use crate::view::{Names, instant, tree};

/// Chain-specs.
#[derive(Debug, Subcommand)]
pub enum SpecCommand {
    /// Write a new chain-spec from the members' public keys.
    New {
        /// Where.
        file: PathBuf,
        /// Name of the network.
        #[arg(long)]
        network: String,
        /// A member as NAME:ROLE:ADMIN_KEY, or with a validator as NAME:ROLE:ADMIN_KEY:VALIDATOR_KEY:NODE_KEY (keys pub1…).
        #[arg(long = "member", required = true, value_parser = member_arg)]
        members: Vec<MemberSpec>,
        /// A devnet, whose clock stands at this date and moves by command; without it real days in Asia/Shanghai.
        #[arg(long, value_name = "YYYY-MM-DD")]
        devnet_from: Option<BusinessDate>,
        /// Length of a devnet's day while its clock moves, ms.
        #[arg(long, default_value_t = 1_000)]
        day_length_ms: u64,
    },
    /// Check a chain-spec; all faults are named.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Show what a chain-spec says, without its secret.
    Show {
        /// The file.
        file: PathBuf,
    },
}

/// Runs the command.
pub fn run(context: &Context, command: &SpecCommand) -> CliResult<()> {
    match command {
        SpecCommand::New { file, network, members, devnet_from, day_length_ms } => {
            new(context, file, network, members, *devnet_from, *day_length_ms)
        }
        SpecCommand::Check { file } => check(context, file),
        SpecCommand::Show { file } => show(context, file),
    }
}

fn member_arg(text: &str) -> Result<MemberSpec, String> {
    let wrong = || "a member is NAME:ROLE:ADMIN_KEY, or NAME:ROLE:ADMIN_KEY:VALIDATOR_KEY:NODE_KEY".to_owned();
    let parts: Vec<&str> = text.split(':').collect();
    let key = |text: &str| text.parse::<PublicKey>().map_err(|error| error.to_string());
    let (name, role, admin, node) = match parts.as_slice() {
        [name, role, admin] => (*name, *role, key(admin)?, None),
        [name, role, admin, validator, node] => (*name, *role, key(admin)?, Some((key(validator)?, key(node)?))),
        _ => return Err(wrong()),
    };
    let role: Role = <RoleArg as clap::ValueEnum>::from_str(role, true)?.into();
    let account = |name: &str| AccountSpec {
        name: name.into(),
        policy: PolicySpec {
            persons: vec![],
            tiers: vec![TierSpec { currency: None, up_to: None, persons: 1, maker_checker: false }],
        },
    };
    Ok(MemberSpec {
        name: name.into(),
        title: name.into(),
        roles: vec![role],
        validator: node.map(|(validator, _)| ValidatorSpec { key: validator, power: 1 }),
        node_keys: node.iter().map(|(_, node)| *node).collect(),
        persons: vec![PersonSpec {
            name: "admin".into(),
            maker: true,
            checker: true,
            keys: vec![KeySpec { key: admin, valid_until: None }],
        }],
        accounts: vec![account("admin"), account("main")],
    })
}

fn new(
    context: &Context,
    file: &Path,
    network: &str,
    members: &[MemberSpec],
    devnet_from: Option<BusinessDate>,
    day_length_ms: u64,
) -> CliResult<()> {
    if file.exists() {
        return Err(CliError::refused(
            "file_exists",
            format!("{} exists already and is not overwritten", file.display()),
        ));
    }
    let mut calendar = demo_calendar().map_err(|error| CliError::refused("calendar", error.to_string()))?;
    let (kind, chain_clock) = match devnet_from {
        Some(start) => (KindSpec::Devnet, ClockSpec::Steered { start, day_length_ms }),
        None => {
            // A production network has the official years only, under their own name.
            calendar.name = "cn".into();
            calendar.years.retain(|year| !year.provisional);
            let offsets = vec![OffsetSpec { from: Default::default(), seconds: 8 * 3600 }];
            (KindSpec::Production, ClockSpec::Real { zone: "Asia/Shanghai".into(), offsets })
        }
    };
    let secret = clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
    let spec = ChainSpec {
        version: SPEC_VERSION,
        network: network.into(),
        kind,
        time: clock::now(),
        clock: chain_clock,
        secret: Hash(secret),
        members: members.to_vec(),
        parameters: Default::default(),
        calendars: vec![calendar],
        contracts: built_in_contracts().iter().map(contract).collect(),
    };
    let checked = spec.check(&CodeSource::beside(file)).map_err(|faults| refused(&faults))?;
    write_private(file, &spec.render())?;
    let chain = checked.genesis.chain();
    let text = format!(
        "{} holds the chain {chain}. It holds the chain secret too: give it to the members' nodes and to nobody else.",
        file.display()
    );
    context.output.done(&text, || json!({ "file": file, "chain": chain }))
}

fn contract(artifact: &portolan_chain_spec::Artifact) -> ContractSpec {
    ContractSpec { name: artifact.name.into(), code_hash: code_hash(artifact.code), instantiate: String::new() }
}

fn write_private(path: &Path, text: &str) -> CliResult<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(CliError::file(path))?;
    file.write_all(text.as_bytes()).map_err(CliError::file(path))
}

fn read(path: &Path) -> CliResult<ChainSpec> {
    ChainSpec::read(path).map_err(|error| CliError::refused("bad_chain_spec", error.to_string()))
}

/// All faults in one refusal.
pub fn refused(faults: &[SpecError]) -> CliError {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    CliError::refused("bad_chain_spec", lines.join("\n"))
}

fn check(context: &Context, file: &Path) -> CliResult<()> {
    let checked = read(file)?.check(&CodeSource::beside(file)).map_err(|faults| refused(&faults))?;
    let chain = checked.genesis.chain();
    context.output.done(&format!("{} is a good chain-spec; its chain is {chain}", file.display()), || {
        json!({ "file": file, "chain": chain, "members": checked.genesis.members.len(),
            "validators": checked.genesis.validators.len() })
    })
}

fn show(context: &Context, file: &Path) -> CliResult<()> {
    let spec = read(file)?;
    let mut shown = serde_json::to_value(&spec).map_err(|error| CliError::refused("json", error.to_string()))?;
    shown["secret"] = json!("(hidden)");
    let years: Vec<_> =
        spec.calendars.iter().map(|calendar| json!({ "name": calendar.name, "years": calendar.years.len() })).collect();
    shown["calendars"] = json!(years);
    context.output.text(|| shown_text(&spec, &shown), &shown)
}

fn shown_text(spec: &ChainSpec, shown: &Value) -> String {
    let mut rest = shown.clone();
    if let Some(fields) = rest.as_object_mut() {
        ["members", "contracts"].iter().for_each(|table| drop(fields.remove(*table)));
        fields.insert("time".into(), json!(instant(spec.time)));
    }
    let member = |member: &MemberSpec| {
        let roles: Vec<String> =
            member.roles.iter().map(|role| json!(role).as_str().unwrap_or_default().into()).collect();
        let power = member.validator.as_ref().map_or("–".into(), |validator| validator.power.to_string());
        let accounts: Vec<&str> = member.accounts.iter().map(|account| account.name.as_str()).collect();
        vec![member.name.clone(), member.title.clone(), roles.join(", "), power, accounts.join(", ")]
    };
    let contract = |contract: &ContractSpec| vec![contract.name.clone(), contract.code_hash.to_string()];
    [
        tree(&rest, &Names::default()),
        columns(&["member", "title", "roles", "voting power", "accounts"], spec.members.iter().map(member).collect()),
        columns(&["contract", "code hash"], spec.contracts.iter().map(contract).collect()),
    ]
    .join("\n\n")
}
