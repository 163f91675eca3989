//! The reference of the request that is being answered. Pages of errors show it, and the log names it.

tokio::task_local! {
    static REFERENCE: String;
}

/// Eight hexadecimal digits: few enough to be told on the telephone.
pub fn new() -> String {
    let mut reference = uuid::Uuid::new_v4().simple().to_string();
    reference.truncate(8);
    reference
}

/// Awaits an answer, during which `current` returns the reference.
pub async fn scope<T>(reference: String, answer: impl Future<Output = T>) -> T {
    REFERENCE.scope(reference, answer).await
}

/// The current request's reference; none outside of requests.
pub fn current() -> Option<String> {
    REFERENCE.try_with(Clone::clone).ok()
}
