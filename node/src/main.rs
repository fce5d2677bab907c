//! `portolan-node`: makes a node's home, checks its configuration, runs it.
//!
//! Exit codes: 0 done, 1 refused with a reason, 2 usage, 3 stopped or not started because the disk is nearly full, 4 halted with a reason that a
//! person must look at (also in `halt.json` of the home).

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use portolan_node::config::{Config, Keys, PeerAddress};
use portolan_node::init::{Plan, init};
use portolan_node::node::{Node, NodeKeys, StartError, read_spec};
use portolan_node::telemetry;
use tokio::signal::unix::{SignalKind, signal};

/// What the process ends with where there is no room on the disk.
const DISK_IS_FULL: u8 = 3;

/// Runs a node of a Portolan network.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a node's home: keys, and with a spec the configuration. What is there is kept.
    Init(Init),
    /// Run the node.
    Run(Configured),
    /// Read the configuration, the spec and the keys, and say what is wrong.
    CheckConfig(Configured),
}

#[derive(Args)]
struct Init {
    /// Folder to make.
    #[arg(long)]
    home: PathBuf,
    /// Name of the member whose node it is.
    #[arg(long)]
    member: String,
    /// The chain-spec; without it only the keys are made, whose public halves the spec then names.
    #[arg(long)]
    spec: Option<PathBuf>,
    /// A node without a consensus key, which follows and does not vote.
    #[arg(long)]
    follower: bool,
    /// File with the passphrase of the keys, readable by its owner only.
    #[arg(long, conflicts_with_all = ["passphrase_env", "passphrase_fd"], required_unless_present_any = ["passphrase_env", "passphrase_fd"])]
    passphrase_file: Option<PathBuf>,
    /// Environment variable with the passphrase.
    #[arg(long, conflicts_with = "passphrase_fd")]
    passphrase_env: Option<String>,
    /// Open file descriptor to read the passphrase from.
    #[arg(long)]
    passphrase_fd: Option<u32>,
    /// Address of the API.
    #[arg(long)]
    api: Option<SocketAddr>,
    /// Address for other nodes.
    #[arg(long)]
    p2p: Option<SocketAddr>,
    /// A node to dial, as member@host:port; may be given several times.
    #[arg(long)]
    peer: Vec<PeerAddress>,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Configured {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// A setting over file and environment, as --set api.listen=127.0.0.1:0; may be given several times.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Init(arguments) => make_home(arguments).map(|()| ExitCode::SUCCESS),
        Command::Run(arguments) => run(&arguments),
        Command::CheckConfig(arguments) => check(&arguments).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("portolan-node: {error:#}");
        match error.downcast_ref() {
            // Whoever starts it again and again finds it running when there is room.
            Some(StartError::Disk(_)) => ExitCode::from(DISK_IS_FULL),
            _ => ExitCode::FAILURE,
        }
    })
}

fn make_home(arguments: Init) -> anyhow::Result<()> {
    let keys = Keys {
        passphrase_file: arguments.passphrase_file,
        passphrase_env: arguments.passphrase_env,
        passphrase_fd: arguments.passphrase_fd,
        ..Keys::default()
    };
    let made = init(&Plan {
        home: &arguments.home,
        member: &arguments.member,
        spec: arguments.spec.as_deref(),
        keys,
        validator: !arguments.follower,
        api: arguments.api,
        p2p: arguments.p2p,
        peers: arguments.peer,
    })?;
    if arguments.json {
        println!("{}", serde_json::to_string(&made)?);
        return Ok(());
    }
    println!("home       {}", made.home.display());
    println!("node       {}", made.node_key);
    if let Some(key) = made.validator_key {
        println!("validator  {key}");
    }
    match &made.config {
        Some(path) => println!("config     {}", path.display()),
        None => println!("next: put the public keys into the chain-spec, then `portolan-node init` again with --spec"),
    }
    for key in &made.not_in_spec {
        println!("note: the spec does not name {key}; the members have to register it before it counts");
    }
    Ok(())
}

fn load(arguments: &Configured) -> anyhow::Result<Config> {
    // A variable that is no Unicode is none of ours.
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(Config::load(&arguments.config, environment, &arguments.settings)?)
}

fn check(arguments: &Configured) -> anyhow::Result<()> {
    let config = load(arguments)?;
    let genesis = read_spec(&config.spec)?.genesis;
    let keys = NodeKeys::unlock(&config.keys)?;
    println!("configuration  {}", arguments.config.display());
    println!("network        {} ({})", genesis.network, genesis.chain());
    println!("member         {}", config.member);
    println!("node key       {}", keys.node.public());
    if let Some(key) = &keys.validator {
        println!("validator key  {}", key.public());
    }
    println!("api            {}", config.api.listen);
    println!("p2p            {}, {} peers to dial", config.p2p.listen, config.p2p.peers.len());
    anyhow::ensure!(
        genesis.members.iter().any(|member| member.name == config.member),
        "the spec has no member `{}`",
        config.member
    );
    Ok(())
}

fn run(arguments: &Configured) -> anyhow::Result<ExitCode> {
    let config = load(arguments)?;
    telemetry::start_log(&config.log)?;
    let spec = read_spec(&config.spec)?;
    let keys = NodeKeys::unlock(&config.keys)?;
    let threads = tokio::runtime::Builder::new_multi_thread().thread_name("api").enable_all().build();
    let runtime = threads.context("the threads can't be started")?;
    let code = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let node = Node::start(&config, spec, keys).await?;
        let (handle, ready) = (node.handle().clone(), serde_json::to_string(&node.ready())?);
        tokio::spawn(async move {
            handle.wait_ready().await;
            if handle.is_ready() {
                // For whoever started the process; the same is in `ready.json`.
                println!("{ready}");
            }
        });
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("the node was told to stop");
        };
        Ok::<_, anyhow::Error>(match node.run(stop).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(halt) => ExitCode::from(halt.exit_code()),
        })
    })?;
    // Reads that are still under way hold nothing that must be finished.
    runtime.shutdown_background();
    Ok(code)
}
