//! The vm: compiles modules once, and runs calls. Must never keep anything of a call after it ended.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portolan_primitives::{Domain, Hash, hash};
use wasmtime::{Engine, Instance, InstancePre, Linker, ModuleExport, Store, Trap, TypedFunc};

use crate::{
    CallOutcome, CallResult, Host, HostResult, ModuleLimits, Pool, TrapReason, VmError,
    abi::{self, Entry},
    cache::{Compiled, DiskCache},
    engine, imports, instrument, metering,
    pools::Pools,
    state::{CallState, Stop},
    validate::{self, STACK_EXPORT},
};

/// Fuel while an instance is set up, before the counter is set to the call's gas: enough for anything that can be deployed.
const SETUP_FUEL: u64 = metering::MAX_GAS;

/// How a vm is set up. None of it changes an outcome.
#[derive(Clone, Debug)]
pub struct VmConfig {
    /// Where compiled modules are kept between starts; `None` compiles anew each time. Trusted like the node's keys: see
    /// the module `cache`.
    pub cache_dir: Option<PathBuf>,
    /// Calls of blocks that may be under way at once, nested ones counted: 8 for each block executed at the same time.
    pub block_slots: u32,
    /// Calls of queries that may be under way at once, nested ones counted.
    pub query_slots: u32,
    /// Compiled modules that are held in memory; the one unused longest goes first.
    pub modules_in_memory: usize,
}

impl Default for VmConfig {
    fn default() -> Self {
        Self { cache_dir: None, block_slots: 32, query_slots: 32, modules_in_memory: 128 }
    }
}

/// A compiled module, ready to be instantiated.
pub struct Module {
    instance: InstancePre<CallState>,
    memory: ModuleExport,
    call: ModuleExport,
    instantiation_gas: u64,
}

impl Module {
    /// Gas that a call pays before its first operator.
    pub fn instantiation_gas(&self) -> u64 {
        self.instantiation_gas
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("instantiation_gas", &self.instantiation_gas).finish_non_exhaustive()
    }
}

/// Compiles and runs contracts. One per process is enough: it is shared between threads, and reserves address space
/// (about 4 GiB a slot, which costs no memory).
pub struct Vm {
    engine: Engine,
    linker: Linker<CallState>,
    pools: Pools,
    disk: Option<DiskCache>,
    modules: Mutex<Modules>,
}

impl Vm {
    /// A vm with the pools of `config`.
    ///
    /// # Errors
    /// [`VmError::Engine`] if the machine refuses the address space, or the cache directory can't be made.
    pub fn new(config: VmConfig) -> Result<Self, VmError> {
        let slots = config.block_slots.saturating_add(config.query_slots);
        Self::with_engine(engine::engine(slots)?, config)
    }

    fn with_engine(engine: Engine, config: VmConfig) -> Result<Self, VmError> {
        let linker = imports::linker(&engine).map_err(|error| VmError::engine("link the host functions", error))?;
        let open = |directory: PathBuf| DiskCache::open(&directory, engine::fingerprint(&engine));
        let disk = config.cache_dir.map(open).transpose();
        Ok(Self {
            disk: disk.map_err(|error| VmError::engine("open its cache directory", error))?,
            linker,
            pools: Pools::new(config.block_slots, config.query_slots),
            modules: Mutex::new(Modules::new(config.modules_in_memory)),
            engine,
        })
    }

    /// The module whose code has the hash `code_hash` (in [`Domain::Code`]): from memory, from disk, or compiled. `code` is
    /// asked only in the last case.
    ///
    /// # Errors
    /// Always the host's fault: code that was deployed passed [`crate::validate`].
    pub fn load(&self, code_hash: &Hash, code: impl FnOnce() -> HostResult<Vec<u8>>) -> Result<Arc<Module>, VmError> {
        if let Some(module) = self.modules().get(code_hash) {
            return Ok(module);
        }
        let module = match self.load_from_disk(code_hash) {
            Some(module) => module,
            None => self.compile(code_hash, &code()?)?,
        };
        let module = Arc::new(module);
        self.modules().put(*code_hash, Arc::clone(&module));
        Ok(module)
    }

    fn modules(&self) -> MutexGuard<'_, Modules> {
        // Each change of the map is whole, so a panic elsewhere leaves nothing half done.
        self.modules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load_from_disk(&self, code_hash: &Hash) -> Option<Module> {
        let disk = self.disk.as_ref()?;
        let compiled = disk.read(code_hash)?;
        let module =
            self.deserialize(&compiled.native).and_then(|module| self.prepare(module, compiled.instantiation_gas));
        module
            .inspect_err(|error| {
                tracing::warn!(%error, "a compiled module of the cache does not fit and is compiled again");
                disk.remove(code_hash);
            })
            .ok()
    }

    #[allow(unsafe_code)]
    fn deserialize(&self, native: &[u8]) -> Result<wasmtime::Module, VmError> {
        // SAFETY: the bytes were serialised by this engine version and settings: their checksum covers both, and they were
        // not changed since they were checked. That the directory is the node's own is the condition of `VmConfig::cache_dir`.
        unsafe { wasmtime::Module::deserialize(&self.engine, native) }
            .map_err(|error| VmError::engine("read a compiled module", error))
    }

    fn compile(&self, code_hash: &Hash, code: &[u8]) -> Result<Module, VmError> {
        if hash(Domain::Code, code) != *code_hash {
            return Err(VmError::WrongCode);
        }
        let inspection = validate::inspect(code, &ModuleLimits::V1)?;
        let instrumented = instrument::instrument(code, &inspection)?;
        let failed = |error| VmError::engine("compile a module", error);
        let module = wasmtime::Module::new(&self.engine, &instrumented).map_err(failed)?;
        let instantiation_gas = inspection.facts.instantiation_gas();
        if let Some(disk) = &self.disk {
            let native = module.serialize().map_err(|error| VmError::engine("serialise a module", error))?;
            disk.write(code_hash, &Compiled { instantiation_gas, native });
        }
        self.prepare(module, instantiation_gas)
    }

    fn prepare(&self, module: wasmtime::Module, instantiation_gas: u64) -> Result<Module, VmError> {
        let instance = self.linker.instantiate_pre(&module).map_err(|error| VmError::engine("link a module", error))?;
        let export = |name| module.get_export_index(name).ok_or_else(|| VmError::engine("find an export", name));
        Ok(Module { memory: export(abi::EXPORT_MEMORY)?, call: export(abi::EXPORT_CALL)?, instance, instantiation_gas })
    }

    /// Runs `entry` of `module` on `input` with at most `gas_limit`, in a fresh instance.
    ///
    /// Calls nest: a [`Host::call`] may come back here, on the same thread. Who calls needs
    /// [`crate::stack::THREAD_STACK_BYTES`] of stack to go [`abi::MAX_CALL_DEPTH`] deep, a bound which the host keeps.
    ///
    /// # Errors
    /// What went wrong on the host's side. The call then has no outcome, and whatever it wrote must be dropped.
    pub fn run(
        &self,
        module: &Module,
        entry: Entry,
        input: &[u8],
        gas_limit: u64,
        pool: Pool,
        host: &mut dyn Host,
    ) -> Result<CallOutcome, VmError> {
        let _slot = self.pools.enter(pool)?;
        if gas_limit > metering::MAX_GAS {
            return Err(VmError::GasLimit(gas_limit));
        }
        let Some(gas) = gas_limit.checked_sub(module.instantiation_gas) else {
            return Ok(CallOutcome { gas_used: gas_limit, result: CallResult::OutOfGas });
        };
        // The store, and with it the pointer to `host`, is dropped before this function returns.
        let mut store = Store::new(&self.engine, CallState::new(host, input.to_vec(), entry == Entry::Query));
        let (instance, call) = instantiate(&mut store, module)?;
        // One unit more than the limit: at the end, 0 left means that more than the limit was used.
        set_fuel(&mut store, gas + 1)?;
        let ended = call.call(&mut store, entry as i32);
        settle(&mut store, instance, ended, gas_limit)
    }
}

fn set_fuel(store: &mut Store<CallState>, fuel: u64) -> Result<(), VmError> {
    store.set_fuel(fuel).map_err(|error| VmError::engine("count fuel", error))
}

fn instantiate(store: &mut Store<CallState>, module: &Module) -> Result<(Instance, TypedFunc<i32, ()>), VmError> {
    store.limiter(|state| &mut state.growth);
    set_fuel(store, SETUP_FUEL)?;
    // The module check left nothing that can fail by the guest's doing: segments fit, there is no start function.
    let failed = |error| VmError::engine("set up an instance", error);
    let instance = module.instance.instantiate(&mut *store).map_err(failed)?;
    let memory = instance.get_module_export(&mut *store, &module.memory).and_then(|export| export.into_memory());
    store.data_mut().memory = memory;
    store.data_mut().growth.counted = true;
    let call = instance.get_module_export(&mut *store, &module.call).and_then(|export| export.into_func());
    let call = call.ok_or_else(|| VmError::engine("find an export", abi::EXPORT_CALL))?;
    let call = call.typed(&*store).map_err(|error| VmError::engine("type an export", error))?;
    Ok((instance, call))
}

/// Turns the end of a call into its outcome.
fn settle(
    store: &mut Store<CallState>,
    instance: Instance,
    ended: wasmtime::Result<()>,
    gas_limit: u64,
) -> Result<CallOutcome, VmError> {
    let all = |result| Ok(CallOutcome { gas_used: gas_limit, result });
    let left = store.get_fuel().map_err(|error| VmError::engine("count fuel", error))?;
    // What counts more than is left, and the one spare unit, is beyond the limit.
    let left = left.saturating_sub(store.data().growth.pending_gas).checked_sub(1);
    let result = match ended {
        Ok(()) => CallResult::Ok(std::mem::take(&mut store.data_mut().output)),
        Err(error) => match stopped(store, instance, error)? {
            Ended::Reverted(bytes) => CallResult::Reverted(bytes),
            Ended::OutOfGas => return all(CallResult::OutOfGas),
            Ended::Trapped(reason) => return all(CallResult::Trapped(reason)),
        },
    };
    match left {
        Some(left) => Ok(CallOutcome { gas_used: gas_limit - left, result }),
        None => all(CallResult::OutOfGas),
    }
}

/// An end other than a return, of the guest's own making.
enum Ended {
    Reverted(Vec<u8>),
    OutOfGas,
    Trapped(TrapReason),
}

fn stopped(store: &mut Store<CallState>, instance: Instance, error: wasmtime::Error) -> Result<Ended, VmError> {
    let error = match error.downcast::<Stop>() {
        Ok(Stop::Revert(bytes)) => return Ok(Ended::Reverted(bytes)),
        Ok(Stop::OutOfGas) => return Ok(Ended::OutOfGas),
        Ok(Stop::Trap(reason)) => return Ok(Ended::Trapped(reason)),
        Ok(Stop::Host(fault)) => return Err(VmError::Host(fault)),
        Ok(Stop::Memory(reason)) => return Err(VmError::Memory(reason)),
        Err(error) => error,
    };
    let reason = match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return Ok(Ended::OutOfGas),
        Some(Trap::StackOverflow) => return Err(VmError::NativeStack),
        Some(Trap::UnreachableCodeReached) if stack_is_exhausted(store, instance) => TrapReason::StackExhausted,
        Some(Trap::UnreachableCodeReached) => TrapReason::Unreachable,
        Some(Trap::MemoryOutOfBounds) => TrapReason::MemoryOutOfBounds,
        Some(Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature) => TrapReason::BadIndirectCall,
        Some(Trap::IntegerDivisionByZero) => TrapReason::DivisionByZero,
        Some(Trap::IntegerOverflow) => TrapReason::IntegerOverflow,
        _ => return Err(VmError::engine("run a call", error)),
    };
    Ok(Ended::Trapped(reason))
}

/// Whether the stack counter fell below zero: only its own check lets it.
fn stack_is_exhausted(store: &mut Store<CallState>, instance: Instance) -> bool {
    let counter = instance.get_global(&mut *store, STACK_EXPORT);
    counter.and_then(|counter| counter.get(&mut *store).i32()).is_some_and(|left| left < 0)
}

/// Compiled modules in memory, the most recently used kept.
struct Modules {
    most: usize,
    clock: u64,
    by_code: BTreeMap<Hash, (u64, Arc<Module>)>,
}

impl Modules {
    fn new(most: usize) -> Self {
        Self { most: most.max(1), clock: 0, by_code: BTreeMap::new() }
    }

    fn get(&mut self, code: &Hash) -> Option<Arc<Module>> {
        self.clock += 1;
        let (used, module) = self.by_code.get_mut(code)?;
        *used = self.clock;
        Some(Arc::clone(module))
    }

    fn put(&mut self, code: Hash, module: Arc<Module>) {
        self.clock += 1;
        self.by_code.insert(code, (self.clock, module));
        if self.by_code.len() > self.most {
            let oldest = self.by_code.iter().min_by_key(|(_, (used, _))| *used).map(|(code, _)| *code);
            oldest.map(|code| self.by_code.remove(&code));
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::OptLevel;

    use super::*;
    use crate::world::{PLENTY, World, contract, contract_with};

    fn optimising(level: OptLevel) -> Vm {
        let config = VmConfig { block_slots: 1, query_slots: 1, ..VmConfig::default() };
        Vm::with_engine(engine::optimising(2, level).unwrap(), config).unwrap()
    }

    /// Contracts whose native code differs most between levels: deep stacks, repeated work, traps next to the end of gas.
    fn shapes() -> Vec<Vec<u8>> {
        let product = |i: u32| {
            format!("(i64.store (i32.const {}) (i64.mul (local.get $x) (i64.const {})))", i * 8, 1_000_003 + 2 * i)
        };
        let twice: String = (0..500).map(product).collect();
        vec![
            contract_with("(func $down (call $down))", "(call $down)"),
            contract_with(
                &format!("(func $down (param $x i64) {twice} (call $down (i64.const 1)) {twice})"),
                "(call $down (i64.const 5))",
            ),
            contract_with("(func $unused (result i32) (i32.load (i32.const -1)))", "(drop (call $unused))"),
            contract("(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
            contract(
                "(local $i i32) (loop $more (drop (i32.mul (local.get $i) (i32.const 3)))
                (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 500))))",
            ),
            contract(
                "(memory.fill (i32.const 0) (i32.const 1) (i32.const 60000)) (drop (memory.grow (i32.const 2))) (call $output (i32.const 9) (i32.const 2))",
            ),
        ]
    }

    #[test]
    fn outcome_and_gas_do_not_depend_on_the_optimisation_level() {
        let vms = [OptLevel::None, OptLevel::Speed, OptLevel::SpeedAndSize].map(optimising);
        for (index, code) in shapes().into_iter().enumerate() {
            for gas in [13_000, 14_000, 20_000, 80_000, PLENTY] {
                let outcomes = vms.each_ref().map(|vm| {
                    let module = vm.load(&hash(Domain::Code, &code), || Ok(code.clone())).unwrap();
                    vm.run(&module, Entry::Call, b"", gas, Pool::Block, &mut World::default()).unwrap()
                });
                assert!(
                    outcomes.iter().all(|outcome| *outcome == outcomes[0]),
                    "shape {index}, gas {gas}: {outcomes:?}"
                );
            }
        }
    }

    #[test]
    fn engines_that_compile_differently_share_no_files() {
        let prints =
            [OptLevel::None, OptLevel::Speed].map(|level| engine::fingerprint(&engine::optimising(1, level).unwrap()));
        assert_ne!(prints[0], prints[1]);
        assert_eq!(
            prints[1],
            engine::fingerprint(&engine::engine(9).unwrap()),
            "the pool's size is no part of the code"
        );
    }
}
