//! Work on all cores whose results do not depend on the number of cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rayon::ThreadPoolBuilder;

/// Applies `work` to each item, with one thread per core. Within an item all tensor operations use one thread, so that sums are
/// formed in one order.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    let next = AtomicUsize::new(0);
    let take_all = || {
        let alone = ThreadPoolBuilder::new().num_threads(1).use_current_thread();
        let pool = alone.build().expect("a pool of the current thread needs no other");
        pool.install(|| {
            let mut done = Vec::new();
            while let Some(item) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|i| *i < items.len()) {
                done.push((item, work(&items[item])));
            }
            done
        })
    };
    let mut results: Vec<(usize, R)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(take_all)).collect();
        let finished = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        finished.flatten().collect()
    });
    results.sort_by_key(|(item, _)| *item);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_items() {
        let items: Vec<usize> = (0..100).collect();
        let doubled = map(&items, |item| (item * 2, rayon::current_num_threads()));
        assert_eq!(
            doubled.iter().map(|(twice, _)| *twice).collect::<Vec<_>>(),
            (0..200).step_by(2).collect::<Vec<_>>()
        );
        assert!(doubled.iter().all(|(_, threads)| *threads == 1));
        assert!(map(&[] as &[usize], |_| ()).is_empty());
    }
}
