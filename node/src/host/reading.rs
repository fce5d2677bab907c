//! The threads on which reads and queries run, with the stack that a contract's nested calls may need.
//!
//! A read that fails by a fault ends alone: whoever waits for it is told, and the thread goes on with the next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use portolan_vm::stack::THREAD_STACK_BYTES;
use tokio::sync::oneshot;

type Read = Box<dyn FnOnce() + Send>;

/// The way to the threads, which end when the last clone of it is gone.
#[derive(Clone)]
pub struct ReadThreads(Sender<Read>);

impl ReadThreads {
    /// Starts so many.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(count: usize) -> std::io::Result<Self> {
        let (sender, reads) = channel();
        let reads = Arc::new(Mutex::new(reads));
        for _ in 0..count {
            let reads = reads.clone();
            let thread = std::thread::Builder::new().name("read".into()).stack_size(THREAD_STACK_BYTES);
            thread.spawn(move || while work(&reads) {})?;
        }
        Ok(Self(sender))
    }

    /// Runs `read` when a thread is free; the answer does not come if it ends by a fault.
    pub fn run<T: Send + 'static>(&self, read: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
        let (answer, answered) = oneshot::channel();
        // Whoever asked may be gone. The threads live as long as `self`.
        let read = Box::new(move || drop(answer.send(read())));
        let _ = self.0.send(read);
        answered
    }
}

/// Does one read; `false` when no more can come.
fn work(reads: &Mutex<Receiver<Read>>) -> bool {
    let next = reads.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let Ok(read) = next else { return false };
    if catch_unwind(AssertUnwindSafe(read)).is_err() {
        tracing::error!("a read of the state ended by a fault");
    }
    true
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn a_read_that_fails_by_a_fault_ends_alone() {
        let threads = ReadThreads::start(1).unwrap();
        let failed = threads.run(|| -> u32 { panic!("a fault of this read") });
        assert!(failed.blocking_recv().is_err());
        assert_eq!(threads.run(|| 7).blocking_recv(), Ok(7));
    }

    #[test]
    fn a_read_has_the_stack_that_nested_calls_need() {
        let threads = ReadThreads::start(1).unwrap();
        let deep = threads.run(|| go_down(usize::MAX, THREAD_STACK_BYTES - (1 << 20)));
        assert_eq!(deep.blocking_recv(), Ok(true));
    }

    /// Calls itself until so many bytes of stack are in use below the first frame, whose address is to be `usize::MAX`.
    #[inline(never)]
    pub(crate) fn go_down(first: usize, bytes: usize) -> bool {
        let frame = std::hint::black_box([0u8; 1_024]);
        let here = frame.as_ptr() as usize;
        let first = if first == usize::MAX { here } else { first };
        let deep = here.abs_diff(first) >= bytes || go_down(first, bytes);
        deep && std::hint::black_box(frame)[bytes % 1_024] == 0
    }
}
