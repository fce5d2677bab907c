//! `portolan-node`: makes a node's home, checks its configuration, runs it, copies its store and brings it back.
//!
//! Exit codes: 0 done, 1 refused with a reason, 2 usage, 3 stopped or not started because the disk is nearly full, 4 halted with a reason that a
//! person must look at (also in `halt.json` of the home).

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use portolan_node::backup::{self, Restore};
use portolan_node::config::{Config, Keys, PeerAddress};
use portolan_node::host::wall_clock;
use portolan_node::init::{Plan, init};
use portolan_node::node::{Node, NodeKeys, StartError, read_spec};
use portolan_node::telemetry;
use portolan_primitives::Height;
use portolan_replica::Fence;
use serde_json::json;
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
    /// Copy the store of a node, which may run meanwhile, into a folder of its own. Keys and configuration are not in it.
    Backup(BackupArguments),
    /// Make a home's store from a backup, checked against the chain's certificates. Overwrites nothing. A validator votes again
    /// only where it can't have voted before: after the first block that is later than a minute from now.
    Restore(RestoreArguments),
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

#[derive(Args)]
struct BackupArguments {
    #[command(flatten)]
    node: Configured,
    /// Folder for the backup, empty or not there yet, that the node's user may write; on the store's disk the copy is made in a moment.
    to: PathBuf,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct RestoreArguments {
    #[command(flatten)]
    node: Configured,
    /// The backup's folder.
    #[arg(required_unless_present = "from_peers")]
    from: Option<PathBuf>,
    /// Begin with an empty store, which gets every block from peers: for a home whose store is lost and that has no backup.
    #[arg(long, conflicts_with = "from")]
    from_peers: bool,
    /// The highest height in which this validator can have voted, where that is known for certain: it then votes above that height
    /// whatever the time. A height that is too low lets it sign against itself.
    #[arg(long, value_name = "HEIGHT")]
    voted_through: Option<u64>,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Init(arguments) => make_home(arguments).map(|()| ExitCode::SUCCESS),
        Command::Run(arguments) => run(&arguments),
        Command::CheckConfig(arguments) => check(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Backup(arguments) => back_up(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Restore(arguments) => restore(&arguments).map(|()| ExitCode::SUCCESS),
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

fn back_up(arguments: &BackupArguments) -> anyhow::Result<()> {
    let config = load(&arguments.node)?;
    let genesis = read_spec(&config.spec)?.genesis;
    let target = std::path::absolute(&arguments.to).context("the folder's name can't be used")?;
    let chain = genesis.chain();
    let made = backup::make(&target, &genesis, wall_clock(), |to| backup::checkpoint(&config.home, &chain, to))?;
    if arguments.json {
        let (height, hash, root) = (made.height, made.header_hash, made.state_root);
        let facts = json!({ "backup": target, "height": height, "header_hash": hash, "state_root": root, "blocks_from": made.blocks_from, "bytes": made.bytes() });
        println!("{facts}");
        return Ok(());
    }
    println!("backup     {}", target.display());
    println!("block      {} ({})", made.height, made.header_hash);
    println!("root       {}", made.state_root);
    println!("size       {} files, {} MiB", made.files.len(), made.bytes() >> 20);
    Ok(())
}

fn restore(arguments: &RestoreArguments) -> anyhow::Result<()> {
    let config = load(&arguments.node)?;
    let spec = read_spec(&config.spec)?;
    let restored = Restore {
        from: arguments.from.as_deref(),
        home: &config.home,
        genesis: &spec.genesis,
        secret: &spec.secret,
        voted_through: arguments.voted_through.map(Height),
        now: wall_clock(),
    }
    .run()?;
    let (height, hash) = restored.head.unzip();
    let (after, above) = match restored.fence {
        Fence::After(time) => (Some(time), None),
        Fence::Above(height) => (None, Some(height)),
    };
    if arguments.json {
        println!("{}", json!({ "height": height, "header_hash": hash, "votes_after_ms": after, "votes_above": above }));
        return Ok(());
    }
    println!("home       {}", config.home.display());
    match restored.head {
        Some((height, hash)) => println!("block      {height} ({hash}), certified, with all values of its root"),
        None => println!("block      none; every block comes from peers"),
    }
    match restored.fence {
        Fence::After(time) => println!("votes      after the first block later than {} ms since 1970", time.0),
        Fence::Above(height) => println!("votes      above height {height}"),
    }
    println!(
        "next: `portolan-node run`; never start what this home was restored from again with the same consensus key"
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
