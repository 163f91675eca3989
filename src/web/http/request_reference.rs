//! The reference of the present request. Error pages show it, and the log contains it.

tokio::task_local! {
    static REFERENCE: String;
}

/// Eight hexadecimal digits: short enough to read out on the telephone.
pub fn new() -> String {
    let mut reference = uuid::Uuid::new_v4().simple().to_string();
    reference.truncate(8);
    reference
}

/// Awaits a response; meanwhile `current` returns the reference.
pub async fn scope<T>(reference: String, answer: impl Future<Output = T>) -> T {
    REFERENCE.scope(reference, answer).await
}

/// The reference of the present request; none outside of requests.
pub fn current() -> Option<String> {
    REFERENCE.try_with(Clone::clone).ok()
}
