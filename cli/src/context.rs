//! What every command is told from outside: nodes, keys, whom it acts for, how results are shown.

use std::path::PathBuf;

use clap::Args;
use codec::Encode;
use portolan_primitives::{Call, Hash};
use serde_json::{Value, json};

use crate::args::AccountArg;
use crate::client::{Client, Reader};
use crate::contracts::{self, message};
use crate::devnet::layout::Layout;
use crate::error::{CliError, CliResult};
use crate::keystore::Keystore;
use crate::output::Output;
use crate::submit::{self, DEFAULT_GAS, Done, Signer};
use crate::view::{self, Names};

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct GlobalArgs {
    /// A node's API, as http://127.0.0.1:7071; may be given several times, the next is tried when one is silent.
    #[arg(id = "node-url", long = "node", global = true, env = "PORTOLAN_NODE", value_delimiter = ',')]
    pub node: Vec<String>,
    /// Folder of the keys.
    #[arg(long, global = true, env = "PORTOLAN_KEYSTORE")]
    pub keystore: Option<PathBuf>,
    /// File with the keystore's passphrase.
    #[arg(long, global = true)]
    pub passphrase_file: Option<PathBuf>,
    /// The devnet whose nodes and keys are meant where none are named.
    #[arg(long, global = true, env = "PORTOLAN_DEVNET_DIR", hide = true)]
    pub devnet_dir: Option<PathBuf>,
    /// The account that acts, as harbour-bank/main; reads are signed for it too.
    #[arg(id = "acting-account", long = "as", global = true, env = "PORTOLAN_ACCOUNT", value_name = "ACCOUNT")]
    pub account: Option<AccountArg>,
    /// A key that approves; may be given several times. Without it those noted for the account.
    #[arg(id = "approving-key", long = "key", global = true, value_name = "NAME")]
    pub key: Vec<String>,
    /// Gas that the transaction may use.
    #[arg(long, global = true, default_value_t = DEFAULT_GAS)]
    pub gas: u64,
    /// One JSON object on one line of standard output.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The options, made use of.
pub struct Context {
    args: GlobalArgs,
    /// How results are shown.
    pub output: Output,
}

impl Context {
    /// From the options.
    pub fn new(args: GlobalArgs) -> Self {
        let output = Output::new(args.json);
        Self { args, output }
    }

    fn devnet(&self) -> CliResult<Option<Layout>> {
        let folder = self.args.devnet_dir.clone().unwrap_or_else(|| ".devnet".into());
        let layout = Layout::new(&folder)?;
        Ok(layout.exists().then_some(layout))
    }

    /// The chain-spec of the devnet, if there is one.
    pub fn devnet_spec(&self) -> CliResult<Option<PathBuf>> {
        Ok(self.devnet()?.map(|layout| layout.spec()))
    }

    /// The addresses of the nodes: named, or the running ones of the devnet.
    pub fn nodes(&self) -> CliResult<Vec<String>> {
        if !self.args.node.is_empty() {
            return Ok(self.args.node.iter().map(|node| node.trim_end_matches('/').to_owned()).collect());
        }
        let Some(layout) = self.devnet()? else {
            return Err(CliError::Usage(
                "no node is named: use --node URL, or start a devnet with `./scripts/devnet up`".into(),
            ));
        };
        let nodes = layout.nodes()?;
        // Those that run come first; the others are still worth a try.
        let (running, stopped): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|node| node.pid.is_some());
        Ok(running.into_iter().chain(stopped).map(|node| node.api).collect())
    }

    /// A client that reads as the node's operator, or for the account where one is named.
    pub fn client(&self) -> CliResult<Client> {
        let client = Client::new(self.nodes()?);
        let Some(account) = &self.args.account else { return Ok(client) };
        let names = self.key_names(account)?;
        let first = names.first().ok_or_else(|| crate::keystore::KeystoreError::NoKeys(account.text()))?;
        let reader = Reader { account: account.id, key: self.keystore()?.open(first)?, chain: chain_of(&client)? };
        Ok(client.signed_for(reader))
    }

    /// The keystore: named, the devnet's, or the one in the home folder.
    pub fn keystore(&self) -> CliResult<Keystore> {
        let passphrase = self.args.passphrase_file.clone();
        if let Some(folder) = &self.args.keystore {
            return Ok(Keystore::new(folder.clone(), passphrase));
        }
        if let Some(layout) = self.devnet()? {
            return Ok(Keystore::new(layout.keystore(), passphrase));
        }
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let home = home.ok_or_else(|| CliError::Usage("name a keystore with --keystore; HOME is not set".into()))?;
        Ok(Keystore::new(home.join(".portolan").join("keystore"), passphrase))
    }

    /// The account that acts.
    pub fn account(&self) -> CliResult<&AccountArg> {
        let usage = || CliError::Usage("say who acts: --as MEMBER/ACCOUNT, as --as harbour-bank/main".into());
        self.args.account.as_ref().ok_or_else(usage)
    }

    fn key_names(&self, account: &AccountArg) -> CliResult<Vec<String>> {
        if !self.args.key.is_empty() {
            return Ok(self.args.key.clone());
        }
        Ok(self.keystore()?.keys_of(&account.text())?)
    }

    /// The account that acts, with the keys that approve.
    pub fn signer(&self) -> CliResult<Signer> {
        let account = self.account()?;
        let keystore = self.keystore()?;
        let keys: Result<Vec<_>, _> = self.key_names(account)?.iter().map(|name| keystore.open(name)).collect();
        Ok(Signer { account: account.id, keys: keys? })
    }

    /// Sends calls in one transaction and waits until it is final.
    pub fn send(&self, calls: Vec<Call>) -> CliResult<Done> {
        let client = Client::new(self.nodes()?);
        let transaction = submit::build(chain_of(&client)?, &self.signer()?, calls, self.args.gas)?;
        submit::run(&client, &transaction)
    }

    /// Sends one message to a contract, and says what came of it.
    pub fn act(&self, contract: contracts::Name, call: &impl Encode, done: &str) -> CliResult<Done> {
        let result = self.send(vec![message(contract, call)])?;
        self.report(&result, done, Value::Null)?;
        Ok(result)
    }

    /// Says that a transaction ran.
    pub fn report(&self, result: &Done, done: &str, more: Value) -> CliResult<()> {
        let text = format!("{done} (transaction {}, block {})", result.id, result.height);
        self.output.done(&text, || {
            let mut json = json!({ "transaction": result.id, "height": result.height, "outcome": "ok" });
            if let (Some(object), Value::Object(more)) = (json.as_object_mut(), more) {
                object.extend(more);
            }
            json
        })
    }

    /// Shows what a node answers on a path.
    pub fn show(&self, path: &str) -> CliResult<()> {
        let client = self.client()?;
        let answer = client.get(path)?;
        self.show_value(&client, &answer)
    }

    /// Shows an object field by field, nested ones indented, with names for ids.
    pub fn show_value(&self, client: &Client, answer: &Value) -> CliResult<()> {
        self.output.text(|| view::tree(answer, &self.names(client, answer)), answer)
    }

    /// Names for people: those of the accounts that the keystore and the command know, and all others where the operator reads,
    /// who may know them. Programs get ids.
    pub fn names(&self, client: &Client, answer: &Value) -> Names {
        if self.output.is_json() {
            return Names::default();
        }
        let mut names = self.known_names();
        if self.args.account.is_none() {
            names.ask(client, answer);
        }
        names
    }

    /// Names of the accounts that the keystore and the command know, without asking anybody.
    pub fn known_names(&self) -> Names {
        let noted = self.keystore().and_then(|keystore| Ok(keystore.accounts()?)).unwrap_or_default();
        let acting = self.args.account.as_ref().map(AccountArg::text);
        Names::known(noted.keys().map(String::as_str).chain(acting.as_deref()))
    }

    /// The account that acts or reads, if one is named.
    pub fn reader(&self) -> Option<&AccountArg> {
        self.args.account.as_ref()
    }

    /// A client that reads as the operator of the node, whoever acts: proofs are the operator's to give.
    pub fn operator(&self) -> CliResult<Client> {
        Ok(Client::new(self.nodes()?))
    }

    /// Shows the items that a node answers on a path as a table: each column with its head and where it is in an item.
    /// A program gets the answer, as an object with the items under `items`.
    pub fn list(&self, path: &str, items: &str, columns: &[(&str, &str)], none: &str) -> CliResult<()> {
        let client = self.client()?;
        let answer = match client.get(path)? {
            list @ Value::Array(_) => json!({ items: list }),
            object => object,
        };
        let names = self.names(&client, &answer);
        let cell = |item: &Value, at: &str| {
            let value = item.pointer(at).unwrap_or(&Value::Null);
            view::named_cell(at.trim_start_matches('/'), value, &names)
        };
        let row = |item: &Value| columns.iter().map(|(_, at)| cell(item, at)).collect();
        let rows = answer[items].as_array().into_iter().flatten().map(row).collect();
        let head: Vec<&str> = columns.iter().map(|(head, _)| *head).collect();
        self.output.table(&head, rows, none, &answer)
    }
}

/// The chain of a network.
pub fn chain_of(client: &Client) -> CliResult<Hash> {
    let status = client.get("/v1/status")?;
    let foreign = || CliError::refused("foreign_answer", "a node's status has no chain; do the versions differ?");
    status["chain"].as_str().and_then(|text| text.parse().ok()).ok_or_else(foreign)
}
