//! HTTP for all pages: errors, bodies, headers, connections, static files.

pub mod assets;
pub mod client_address;
pub(crate) mod connections;
pub mod error;
pub mod extract;
pub(crate) mod image_cache;
pub mod markdown;
pub mod metrics;
pub mod metrics_page;
pub mod page;
pub(crate) mod refusals;
pub mod request_reference;
pub mod request_span;
pub mod security_headers;
pub mod serve;
pub mod startup;
pub(crate) mod static_files;
pub(crate) mod write_progress;
