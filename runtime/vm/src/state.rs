//! What lives as long as one call: the host, the buffers, what is counted. Must never outlive [`crate::Vm::run`].

use std::ptr::NonNull;
use std::sync::Arc;

use wasmtime::{Memory, ResourceLimiter};

use crate::{Host, HostFault, TrapReason, abi, limits::MAX_MEMORY_PAGES, metering};

/// Why a host function ends the call instead of returning to the guest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error("reverted")]
    Revert(Vec<u8>),
    #[error("out of gas")]
    OutOfGas,
    #[error(transparent)]
    Trap(#[from] TrapReason),
    #[error(transparent)]
    Host(#[from] HostFault),
    #[error("memory below the limit was refused: {0}")]
    Memory(String),
}

/// A borrowed [`Host`] in a place that must be `'static`: the engine's store.
struct HostPointer(NonNull<dyn Host>);

impl HostPointer {
    #[allow(unsafe_code)]
    fn new(host: &mut dyn Host) -> Self {
        let pointer = NonNull::from(host);
        // SAFETY: only the lifetime changes. `CallState::new` passes on the duty that the state, and with it this pointer,
        // is dropped before the borrow ends; `Vm::run` meets it by owning the store within the borrow.
        Self(unsafe { std::mem::transmute::<NonNull<dyn Host + '_>, NonNull<dyn Host + 'static>>(pointer) })
    }

    #[allow(unsafe_code)]
    fn get(&mut self) -> &mut dyn Host {
        // SAFETY: the pointer comes from a unique borrow that outlives `self`, and `&mut self` keeps its uses apart.
        unsafe { self.0.as_mut() }
    }
}

/// The store's data during one call.
pub(crate) struct CallState {
    host: HostPointer,
    /// Set once the instance stands; no guest code runs before.
    pub memory: Option<Memory>,
    pub input: Vec<u8>,
    pub output: Vec<u8>,
    pub register: Register,
    /// Writing traps.
    pub read_only: bool,
    pub growth: Growth,
    events: u32,
    event_bytes: usize,
}

/// Where the result register points.
pub(crate) enum Register {
    Input,
    Bytes(Vec<u8>),
    /// A value as the host keeps it.
    Shared(Arc<[u8]>),
}

impl CallState {
    /// The state must be dropped before `host`'s borrow ends.
    pub(crate) fn new(host: &mut dyn Host, input: Vec<u8>, query: bool) -> Self {
        let read_only = query || host.read_only();
        Self {
            host: HostPointer::new(host),
            memory: None,
            input,
            output: Vec::new(),
            register: Register::Bytes(Vec::new()),
            read_only,
            growth: Growth::default(),
            events: 0,
            event_bytes: 0,
        }
    }

    pub(crate) fn host(&mut self) -> &mut dyn Host {
        self.host.get()
    }

    pub(crate) fn register(&self) -> &[u8] {
        match &self.register {
            Register::Input => &self.input,
            Register::Bytes(bytes) => bytes,
            Register::Shared(bytes) => bytes,
        }
    }

    /// Refuses to write in a query.
    pub(crate) fn must_write(&self, function: &'static str) -> Result<(), TrapReason> {
        if self.read_only { Err(TrapReason::WriteInQuery(function)) } else { Ok(()) }
    }

    /// Counts an event of `bytes`.
    pub(crate) fn count_event(&mut self, bytes: usize) -> Result<(), TrapReason> {
        self.events += 1;
        self.event_bytes += bytes;
        let within = self.events <= abi::MAX_EVENTS && self.event_bytes <= abi::MAX_EVENT_BYTES;
        if within { Ok(()) } else { Err(TrapReason::TooManyEvents) }
    }
}

/// Decides on memory growth by the protocol's bound alone; what the machine then refuses is its fault and not the guest's
/// `-1`.
#[derive(Default)]
pub(crate) struct Growth {
    /// Whether the instance stands: the initial memory is in its price.
    pub counted: bool,
    /// Gas for memory that was grown, charged at the next host function or at the end.
    pub pending_gas: u64,
}

impl ResourceLimiter for Growth {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let most = maximum.unwrap_or(usize::MAX).min(abi::MAX_MEMORY_BYTES);
        if desired > most {
            return Ok(false);
        }
        if self.counted {
            self.pending_gas += metering::growth(desired - current);
        }
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(wasmtime::Error::new(Stop::Memory(format!("{error:#}"))))
    }

    fn table_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

const _: () = assert!(MAX_MEMORY_PAGES == 256, "the engine's pool is sized for 16 MiB");
