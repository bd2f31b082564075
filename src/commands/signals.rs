//! Signals that end a run: SIGINT, SIGTERM, and SIGHUP. Also handles operating system limits that would kill a run midway.
//!
//! Guarantees that once [`watch`] has been called, a signal can end the process at any time, even while the main thread waits: a
//! separate thread receives the signals. During the work, that thread passes each signal on, so that the work shuts down cleanly.
//! After the work, the next signal ends the process immediately, even if nothing reads the report. The default signal handling
//! cannot do this, because it is not restored after a handler was installed.

use std::io::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::CommandCode;
use crate::exit::Exit;
use crate::problem::Problem;

/// How long the work may continue after the second signal, to end and to report. If it takes longer, it is waiting for a disk or for
/// a reader.
const TO_NOTICE: Duration = Duration::from_millis(500);
/// How long the report of a run may take that a signal has stopped.
const TO_REPORT_STOPPED: Duration = Duration::from_secs(10);
/// How long the report may take if a second signal arrives after the work has ended.
const TO_REPORT: Duration = Duration::from_millis(50);
/// How many file descriptors a run needs at least: for two runtimes, the locks, the journal and a connection.
#[cfg(unix)]
const DESCRIPTORS: usize = 16;

/// The signals for work in progress.
#[derive(Debug)]
pub(super) struct Signals {
    /// The number of each signal, as it comes.
    pub(super) numbers: UnboundedReceiver<i32>,
    is_over: Arc<AtomicBool>,
}

impl Drop for Signals {
    /// The work has ended: from now on, a signal ends the process immediately.
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Ok(number) = self.numbers.try_recv() {
            end(number); // the work ended before it saw this one
        }
    }
}

/// Begins to receive signals instead of being ended by them, for as long as the result lives.
///
/// # Errors
/// The operating system refuses what that needs.
pub(super) fn watch() -> Result<Signals> {
    let (tell, numbers) = unbounded_channel();
    let is_over = Arc::new(AtomicBool::new(false));
    let (ready, is_ready) = sync_channel(1);
    let watch = Watch { tell, is_over: Arc::clone(&is_over), first: None };
    std::thread::Builder::new().name("signals".into()).spawn(move || watch.run(&ready))?;
    is_ready.recv().map_err(Error::other)??;
    Ok(Signals { numbers, is_over })
}

/// Why signals are not received.
pub(super) fn not_watched(error: &Error) -> Problem {
    Problem::new(CommandCode::NoRuntime, format!("signals cannot be received: {error}")).help(TOO_FEW)
}

/// Why there is no runtime.
pub(super) fn no_runtime(error: &Error) -> Problem {
    let message = format!("cannot start, because the operating system refuses a resource: {error}");
    Problem::new(CommandCode::NoRuntime, message).help(TOO_FEW)
}

/// What to do about the most common reason.
const TOO_FEW: &str = "nothing was changed; if too many files are open, raise the limit: `ulimit -n 256`";

struct Watch {
    tell: UnboundedSender<i32>,
    is_over: Arc<AtomicBool>,
    first: Option<i32>,
}

impl Watch {
    fn run(mut self, ready: &SyncSender<Result<()>>) {
        let begun = Builder::new_current_thread().enable_all().build().and_then(|runtime| {
            let arrivals = runtime.block_on(async { arrivals() })?;
            Ok((runtime, arrivals))
        });
        let (runtime, mut arrivals) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let _ = ready.send(Ok(()));
        runtime.block_on(async {
            while let Some(number) = arrivals.recv().await {
                self.received(number);
            }
        });
    }

    fn received(&mut self, number: i32) {
        let is_second = self.first.is_some();
        let first = *self.first.get_or_insert(number);
        let is_over = || self.is_over.load(Ordering::SeqCst);
        if is_over() && !is_second {
            end(first);
        }
        let _ = self.tell.send(number);
        // After two signals in a row, the report of the stopped run should still be printed. If the work ended while this signal was
        // passed on, the work may not have seen it.
        let grace = match (is_over(), is_second) {
            (true, _) => TO_REPORT,
            (false, true) => TO_NOTICE,
            (false, false) => {
                tokio::spawn(end_after_report(Arc::clone(&self.is_over), first));
                return;
            }
        };
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            end(first);
        });
    }
}

/// Ends a stopped run even if its report is never read and no second signal comes.
async fn end_after_report(is_over: Arc<AtomicBool>, first: i32) {
    while !is_over.load(Ordering::SeqCst) {
        tokio::time::sleep(TO_REPORT).await;
    }
    tokio::time::sleep(TO_REPORT_STOPPED).await;
    end(first);
}

/// Ends the process, even if other threads are blocked.
fn end(number: i32) {
    std::process::exit(i32::from(Exit::Signal(number).code()));
}

/// The number of each signal, as it comes.
#[cfg(unix)]
fn arrivals() -> Result<UnboundedReceiver<i32>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (tell, told) = unbounded_channel();
    for kind in [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()] {
        let mut stream = signal(kind)?;
        let tell = tell.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                let _ = tell.send(kind.as_raw_value());
            }
        });
    }
    Ok(told)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
fn arrivals() -> Result<UnboundedReceiver<i32>> {
    let (tell, told) = unbounded_channel();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            let _ = tell.send(2);
        }
    });
    Ok(told)
}

/// The first runtime, on this thread.
///
/// # Errors
/// The operating system refuses what a run needs. With too few file descriptors left, tokio would panic, so they are counted
/// first.
pub(super) fn runtime() -> Result<Runtime> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let stdin = std::io::stdin();
        (0..DESCRIPTORS).map(|_| stdin.as_fd().try_clone_to_owned()).collect::<Result<Vec<_>>>()?;
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    #[cfg(unix)]
    runtime.block_on(async { ignore_file_size_signal() })?;
    Ok(runtime)
}

/// Makes a file that reaches the limit of its size (`ulimit -f`) fail to be written, as on a full disk. Otherwise SIGXFSZ would
/// end the process. Only verbs that start no runtime need this.
pub(super) fn outlive_file_size_limit() {
    #[cfg(unix)]
    if rustix::process::getrlimit(rustix::process::Resource::Fsize).current.is_some() {
        let _ = runtime(); // whose handler stays
    }
}

#[cfg(unix)]
fn ignore_file_size_signal() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}
