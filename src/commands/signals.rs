//! Handles signals that terminate a run (SIGINT, SIGTERM, and SIGHUP), as well as resource limits that would kill a run midway.
//!
//! [`watch`] starts a thread that receives the signals and can terminate the process even while the main thread is blocked.
//! During the work, the thread only forwards each signal, so that the work can shut down cleanly. Afterwards, the next signal
//! terminates the process immediately, even if the report is never read and printing it blocks. The default signal handling can't
//! do this, because tokio doesn't restore it after installing a handler.

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

/// How long a run may take to stop and print its report after a second signal. A run that takes longer is blocked on a disk or on
/// the reader of its output.
const TO_NOTICE: Duration = Duration::from_millis(500);
/// How long a run that was stopped by a single signal may take to print its report. GitHub's runner sends the next signal after
/// 7.5 seconds.
const TO_REPORT_STOPPED: Duration = Duration::from_secs(5);
/// How long a run may take to print its report if its work has already ended when a signal arrives.
const TO_REPORT: Duration = Duration::from_millis(50);
/// The number of free file descriptors that a run needs for two runtimes, the locks, the journal, and a connection.
#[cfg(unix)]
const DESCRIPTORS: usize = 16;

/// The signals received while work is in progress.
#[derive(Debug)]
pub(super) struct Signals {
    /// The number of each signal, in order of arrival.
    pub(super) numbers: UnboundedReceiver<i32>,
    is_over: Arc<AtomicBool>,
}

impl Drop for Signals {
    /// Marks the end of the work, after which a signal terminates the process immediately.
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Ok(number) = self.numbers.try_recv() {
            end(number); // the work ended before it noticed this signal
        }
    }
}

/// Starts receiving signals. Until the returned value is dropped, signals don't terminate the process right away.
///
/// # Errors
/// Returns an error if the thread or the signal handlers cannot be set up.
pub(super) fn watch() -> Result<Signals> {
    let (tell, numbers) = unbounded_channel();
    let is_over = Arc::new(AtomicBool::new(false));
    let (ready, is_ready) = sync_channel(1);
    let watch = Watch { tell, is_over: Arc::clone(&is_over), first: None };
    std::thread::Builder::new().name("signals".into()).spawn(move || watch.run(&ready))?;
    is_ready.recv().map_err(Error::other)??;
    Ok(Signals { numbers, is_over })
}

/// Returns the problem to report if [`watch`] fails.
pub(super) fn not_watched(error: &Error) -> Problem {
    Problem::new(CommandCode::NoRuntime, format!("cannot set up signal handling: {error}")).help(TOO_FEW)
}

/// Returns the problem to report if [`runtime`] fails.
pub(super) fn no_runtime(error: &Error) -> Problem {
    let message = format!("cannot start: the operating system denied a resource: {error}");
    Problem::new(CommandCode::NoRuntime, message).help(TOO_FEW)
}

/// The remedy for the most common cause of these problems, which is too many open files.
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
            // `arrivals` closes only if all signals are ignored. Don't return, because that would drop `self.tell`, and `sandbox`
            // treats a closed channel as a signal.
            std::future::pending::<()>().await;
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
        // After two signals in a row, the stopped run should still get to print its report. If the work ended while this signal
        // was being forwarded, the work may never have noticed the signal.
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

/// Waits until a stopped run ends its work, gives it time to print the report, and then terminates the process. This matters if
/// the report is never read and no second signal arrives.
async fn end_after_report(is_over: Arc<AtomicBool>, first: i32) {
    while !is_over.load(Ordering::SeqCst) {
        tokio::time::sleep(TO_REPORT).await;
    }
    tokio::time::sleep(TO_REPORT_STOPPED).await;
    end(first);
}

/// Terminates the process, even if other threads are blocked.
fn end(number: i32) {
    std::process::exit(i32::from(Exit::Signal(number).code()));
}

/// Returns a channel that receives the number of each signal.
#[cfg(unix)]
fn arrivals() -> Result<UnboundedReceiver<i32>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (tell, told) = unbounded_channel();
    let ignored = ignored();
    let is_received = |kind: &SignalKind| ignored >> (kind.as_raw_value() - 1) & 1 == 0;
    let kinds = [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()];
    for kind in kinds.into_iter().filter(is_received) {
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

/// Returns the mask of signals that were already ignored when the program started and must stay ignored (e.g., `nohup` ignores
/// SIGHUP). Only Linux exposes this without `unsafe` code, so the mask is empty elsewhere.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
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

/// Creates the main runtime, which runs on this thread.
///
/// # Errors
/// Returns an error if the operating system refuses a resource. Because tokio panics when it runs out of file descriptors, this
/// first checks that enough are left.
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

/// Makes writes beyond the file size limit (`ulimit -f`) fail with an error, as on a full disk, instead of killing the process
/// with SIGXFSZ. Commands with a runtime don't need this, since creating one has the same effect.
pub(super) fn outlive_file_size_limit() {
    #[cfg(unix)]
    if rustix::process::getrlimit(rustix::process::Resource::Fsize).current.is_some() {
        let _ = runtime(); // dropping the runtime leaves the handler installed
    }
}

#[cfg(unix)]
fn ignore_file_size_signal() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}
