//! Macros for contracts: the exported entry, refusals, and lines for developers.

/// Makes a contract of a value that implements an interface: on wasm the exported `call`; natively `NATIVE`, which tests
/// deploy and the packaging tool describes.
///
/// `export!(Receivable, portolan_interface::receivable);` where `Receivable` is an expression (a unit struct).
#[macro_export]
macro_rules! export {
    ($contract:expr, $($module:ident)::+) => {
        #[cfg(target_arch = "wasm32")]
        #[unsafe(no_mangle)]
        extern "C" fn call(entry: i32) {
            $crate::wasm::run(entry, |entry, input| $($module)::+::dispatch(entry, input, &mut $contract));
        }

        /// The contract, for tests and for packaging.
        #[cfg(not(target_arch = "wasm32"))]
        pub const NATIVE: $crate::testing::NativeContract = $crate::testing::NativeContract {
            id: $($module)::+::CONTRACT,
            run: |entry, input| $($module)::+::dispatch(entry, input, &mut $contract),
            metadata: $($module)::+::metadata,
        };
    };
}

/// Returns the error unless the condition holds.
///
/// ```
/// fn withdraw(balance: i128, minor: i128) -> Result<i128, &'static str> {
///     portolan_sdk::ensure!(minor <= balance, "the balance does not suffice");
///     Ok(balance - minor)
/// }
/// assert_eq!(withdraw(5, 7), Err("the balance does not suffice"));
/// assert_eq!(withdraw(7, 5), Ok(2));
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $error:expr $(,)?) => {
        if !$condition {
            return ::core::result::Result::Err($error);
        }
    };
}

/// Writes a line for the contract's developer, formatted as by `format!`; kept on a devnet only, and paid for everywhere.
/// Formatting is big in code: production contracts log nothing.
#[macro_export]
macro_rules! log {
    ($($argument:tt)*) => {
        $crate::env::log(&$crate::__private::format!($($argument)*))
    };
}
