//! What a command ends with when it does not succeed, and the exit code that programs read.
//!
//! 0 done, 1 refused with a typed reason, 2 wrong use, 3 no node reachable.

use serde_json::{Value, json};

use crate::client::ClientError;
use crate::document::DocumentError;
use crate::keystore::KeystoreError;

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Refused with a typed reason: by a node, a contract, a check.
    #[error("{message}")]
    Refused {
        /// Stable code, as `receivable::OverSplit` or `unknown_currency`.
        code: String,
        /// What happened and what to do.
        message: String,
    },
    /// Wrong use: what clap can't see.
    #[error("{0}")]
    Usage(String),
    /// No node answers, or none of this protocol.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Keys.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// A document.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A file.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// Result of a command.
pub type CliResult<T> = Result<T, CliError>;

impl CliError {
    /// A refusal.
    pub fn refused(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), message: message.into() }
    }

    /// A file that can't be read or written.
    pub fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Client(ClientError::Unreachable { .. }) => 3,
            _ => 1,
        }
    }

    /// The stable code.
    pub fn code(&self) -> String {
        match self {
            Self::Refused { code, .. } => code.clone(),
            Self::Usage(_) => "usage".into(),
            Self::Client(ClientError::Unreachable { .. }) => "unreachable".into(),
            Self::Client(ClientError::Refused(problem)) => problem.code.clone(),
            Self::Client(ClientError::Foreign { .. }) => "foreign_answer".into(),
            Self::Keystore(error) => error.code().into(),
            Self::Document(error) => error.code().into(),
            Self::File { .. } => "file".into(),
        }
    }

    /// As programs read it: `{error: {code, message}}`, and for a document that was refused `{code, reason}` beside it.
    pub fn to_json(&self) -> Value {
        if let Self::Document(error) = self {
            let (code, reason) = (error.code(), error.to_string());
            return json!({ "code": code, "reason": reason, "error": { "code": code, "message": reason } });
        }
        json!({ "error": { "code": self.code(), "message": self.to_string() } })
    }
}
