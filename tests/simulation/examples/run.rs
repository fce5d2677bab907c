//! Runs one kind of disaster for a range of seeds and prints what it came to:
//! `cargo run --release -p portolan-simulation --example run -- KIND START COUNT`.

use portolan_simulation::{LogMode, Settings, World};

fn settings(kind: &str, seed: u64) -> Option<Settings> {
    let calm = Settings::calm(seed);
    Some(match kind {
        "calm" => calm,
        "long" => Settings { faults_us: 60_000_000, ..calm },
        "dead" => Settings { dead: vec![1], ..calm },
        "loss" => Settings { loss: 50_000, duplication: 50_000, lateness: 50_000, ..calm },
        "partition" => Settings { partitions: true, faults_us: 4_000_000, ..calm },
        "crash" => Settings { crash: 5_000, ..calm },
        "forger" => Settings { forger: Some(2), loss: 10_000, ..calm },
        "twins" => Settings { twins: 1, loss: 10_000, lateness: 20_000, ..calm },
        "all" => Settings {
            loss: 30_000,
            duplication: 20_000,
            lateness: 20_000,
            partitions: true,
            crash: 3_000,
            garbage: 5_000,
            followers: 1,
            faults_us: 3_000_000,
            ..calm
        },
        "defect" => Settings { defective: vec![3], ..calm },
        "two-twins" => Settings { twins: 2, partitions: true, ..calm },
        "log-off" => Settings { log: LogMode::Off, crash: 20_000, loss: 30_000, lateness: 30_000, ..calm },
        "sync-off" => Settings { log: LogMode::SyncIgnored, crash: 20_000, loss: 30_000, lateness: 30_000, ..calm },
        _ => return None,
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, default: u64| arguments.get(place).and_then(|text| text.parse().ok()).unwrap_or(default);
    let kind = arguments.first().map_or("calm", String::as_str);
    for seed in number(1, 1)..number(1, 1) + number(2, 1) {
        match settings(kind, seed) {
            Some(settings) => println!("{kind} {seed}: {:?}", World::new(settings).run()),
            None => return eprintln!("no such kind; see this file"),
        }
    }
}
