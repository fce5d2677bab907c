//! `portolan member`, `portolan account`: who takes part, and who must approve what.

use clap::{Subcommand, ValueEnum};
use portolan_primitives::{MemberStatus, PublicKey, Role};
use portolan_runtime::native::governance::Action;
use portolan_runtime::native::members::messages::Call;
use portolan_runtime::native::records::{Policy, Tier};
use serde_json::{Value, json};

use super::governance;
use crate::args::{AccountArg, MemberArg, money};
use crate::context::Context;
use crate::error::CliResult;
use crate::view::{Names, cell};
use portolan_interface::Money;

/// Members.
#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// List the members.
    List,
    /// Show a member.
    Show {
        /// Its name or id.
        member: MemberArg,
    },
    /// Propose that a member joins.
    Propose {
        /// Its name on the chain.
        name: String,
        /// Its name for people.
        #[arg(long)]
        title: String,
        /// What it may do.
        #[arg(long = "role", required = true, value_enum)]
        roles: Vec<RoleArg>,
        /// Pseudonym of its first person.
        #[arg(long, default_value = "admin")]
        admin: String,
        /// That person's public key, pub1….
        #[arg(long)]
        admin_key: PublicKey,
    },
    /// Add a person to the acting member; the member's account `admin` acts.
    AddPerson {
        /// A pseudonym; no personal data reaches the chain.
        name: String,
        /// May prepare.
        #[arg(long)]
        maker: bool,
        /// May check what another prepared.
        #[arg(long)]
        checker: bool,
    },
    /// List a member's persons.
    Persons {
        /// Its name or id.
        member: MemberArg,
    },
    /// Propose to freeze a member: it can neither give nor take.
    Freeze {
        /// Its name or id.
        member: MemberArg,
        /// Make it active again instead.
        #[arg(long)]
        release: bool,
    },
}

/// Accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Create an account; the member's account `admin` acts.
    Create {
        /// Its name within the member.
        name: String,
        #[command(flatten)]
        policy: PolicyArgs,
    },
    /// Change who must approve what; the member's account `admin` acts.
    Policy {
        /// The account.
        account: AccountArg,
        #[command(flatten)]
        policy: PolicyArgs,
    },
    /// List a member's accounts.
    List {
        /// Its name or id.
        member: MemberArg,
    },
}

/// A policy.
#[derive(Debug, clap::Args)]
pub struct PolicyArgs {
    /// Persons that must approve whatever no tier bounds.
    #[arg(long, default_value_t = 1)]
    pub persons: u8,
    /// A maker and another person who is a checker must be among them.
    #[arg(long)]
    pub maker_checker: bool,
    /// A tier for smaller sums of a day, as 50000.00CNY=1: the sum and the persons. May be given several times, ascending.
    #[arg(long = "tier", value_parser = tier)]
    pub tiers: Vec<(Money, u8)>,
    /// Pseudonyms of those who count; all of the member without it.
    #[arg(long = "person")]
    pub named: Vec<String>,
}

fn tier(text: &str) -> Result<(Money, u8), String> {
    let wrong = || format!("`{text}` is no tier; write it as 50000.00CNY=1");
    let (amount, persons) = text.split_once('=').ok_or_else(wrong)?;
    Ok((money(amount)?, persons.parse().map_err(|_| wrong())?))
}

impl PolicyArgs {
    fn policy(&self) -> Policy {
        let mut named = self.named.clone();
        named.sort_unstable();
        let bounded = self.tiers.iter().map(|(most, persons)| Tier {
            currency: Some(portolan_primitives::Currency(most.currency.0)),
            up_to: Some(most.minor),
            persons: *persons,
            maker_checker: false,
        });
        let rest = Tier { currency: None, up_to: None, persons: self.persons, maker_checker: self.maker_checker };
        Policy { persons: named, tiers: bounded.chain([rest]).collect() }
    }
}

/// Roles of members.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleArg {
    /// Issues deposits, finances claims.
    Bank,
    /// Debtor of certificates.
    CoreEnterprise,
    /// Supplier of any tier.
    Supplier,
    /// Carrier, forwarder, warehouse.
    Logistics,
    /// Customs authority.
    Customs,
    /// Operator of the platform.
    Platform,
    /// Reads what its mandate grants.
    Auditor,
    /// Reads all.
    Regulator,
    /// Insures shipments.
    Insurer,
    /// Attests risk data.
    RiskProvider,
}

impl From<RoleArg> for Role {
    fn from(arg: RoleArg) -> Self {
        match arg {
            RoleArg::Bank => Self::Bank,
            RoleArg::CoreEnterprise => Self::CoreEnterprise,
            RoleArg::Supplier => Self::Supplier,
            RoleArg::Logistics => Self::Logistics,
            RoleArg::Customs => Self::Customs,
            RoleArg::Platform => Self::Platform,
            RoleArg::Auditor => Self::Auditor,
            RoleArg::Regulator => Self::Regulator,
            RoleArg::Insurer => Self::Insurer,
            RoleArg::RiskProvider => Self::RiskProvider,
        }
    }
}

/// Runs a member's command.
pub fn member(context: &Context, command: &MemberCommand) -> CliResult<()> {
    match command {
        MemberCommand::List => list(context),
        MemberCommand::Show { member } => context.show(&format!("/v1/members/{}", member.0)),
        MemberCommand::Propose { name, title, roles, admin, admin_key } => {
            let action = Action::AddMember {
                name: name.clone(),
                title: title.clone(),
                roles: roles.iter().map(|role| (*role).into()).collect(),
                admin: admin.clone(),
                admin_key: *admin_key,
            };
            governance::propose(context, &format!("{title} joins"), action, None)
        }
        MemberCommand::AddPerson { name, maker, checker } => {
            let call = Call::AddPerson { name: name.clone(), maker: *maker, checker: *checker };
            let next = format!("{name} is added; give a key with `portolan key register KEY --person {name}`");
            context.act("members", &call, &next).map(drop)
        }
        MemberCommand::Persons { member } => {
            let columns = [("name", "/name"), ("maker", "/person/maker"), ("checker", "/person/checker")];
            let path = format!("/v1/members/{}/persons?limit=256", member.0);
            context.list(&path, "persons", &columns, "The member has no person.")
        }
        MemberCommand::Freeze { member, release } => {
            let (status, verb) =
                if *release { (MemberStatus::Active, "released") } else { (MemberStatus::Frozen, "frozen") };
            let action = Action::SetMemberStatus { member: member.0, status };
            governance::propose(context, &format!("{} is {verb}", member.0), action, None)
        }
    }
}

fn list(context: &Context) -> CliResult<()> {
    let columns = [
        ("name", "/member/name"),
        ("title", "/member/title"),
        ("roles", "/member/roles"),
        ("status", "/member/status"),
        ("id", "/id"),
    ];
    context.list("/v1/members?limit=256", "members", &columns, "The chain has no members.")
}

fn accounts(context: &Context, member: &MemberArg) -> CliResult<()> {
    let list = context.client()?.get(&format!("/v1/members/{}/accounts?limit=256", member.0))?;
    let answer = json!({ "accounts": list });
    let row = |view: &Value| {
        let account = &view["account"];
        let text = |value: &Value| cell(value, &Names::default());
        let state = if account["closed"] == true { "closed" } else { "open" };
        vec![text(&account["name"]), state.into(), policy_text(&account["policy"]), text(&view["id"])]
    };
    let rows = answer["accounts"].as_array().into_iter().flatten().map(row).collect();
    let none = "The member has no account.";
    context.output.table(&["name", "state", "who must approve", "id"], rows, none, &answer)
}

fn policy_text(policy: &Value) -> String {
    let tier = |tier: &Value| {
        let most = tier["up_to"].as_str().map(str::to_owned).or(tier["up_to"].as_i64().map(|most| most.to_string()));
        let up_to = most.map_or(String::new(), |most| {
            format!("up to {most} minor units of {} a day: ", tier["currency"].as_str().unwrap_or("any currency"))
        });
        let duties = if tier["maker_checker"] == true { ", maker and checker" } else { "" };
        format!("{up_to}{} of them{duties}", tier["persons"])
    };
    let named: Vec<&str> = policy["persons"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let persons = if named.is_empty() { "all persons of the member".into() } else { named.join(", ") };
    let tiers: Vec<String> = policy["tiers"].as_array().into_iter().flatten().map(tier).collect();
    format!("{persons}; {}", tiers.join("; "))
}

/// Runs an account's command.
pub fn account(context: &Context, command: &AccountCommand) -> CliResult<()> {
    match command {
        AccountCommand::Create { name, policy } => {
            let call = Call::CreateAccount { name: name.clone(), policy: policy.policy() };
            context.act("members", &call, &format!("The account {name} is there")).map(drop)
        }
        AccountCommand::Policy { account, policy } => {
            let call = Call::SetPolicy { account: account.id, policy: policy.policy() };
            context.act("members", &call, &format!("The policy of {} stands", account.text())).map(drop)
        }
        AccountCommand::List { member } => accounts(context, member),
    }
}
