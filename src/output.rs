//! Handles all writes to standard output and standard error, and removes tokens from the output.
//!
//! No output (reports, prompts, progress, help, usage errors, and panics) can contain a token passed to [`hide`], or even a
//! fragment of one, as defined by `pylon::scrub`. To enforce this, clippy forbids `std::io::stdout` and `std::io::stderr`
//! everywhere else. Text for files goes through [`scrub`].

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal, Result, Write};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use terminal_size::{Height, Width};

use crate::pylon::Token;
use crate::pylon::token::words;
use crate::report::text::wrap::wrapped;
use crate::sandbox::DEFAULT_TOKEN;

/// The tokens to remove from all output. This has to be global because the code that prints panics and usage errors doesn't have
/// access to `commands::Environment`.
static HIDDEN: Mutex<Vec<Token>> = Mutex::new(Vec::new());

/// Adds every word of `text` that could be a token to the tokens removed from all further output. `text` can be an invalid
/// token, such as one in quotes. The sandbox's public token isn't a secret and stays visible.
pub fn hide(text: &str) {
    let mut hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner);
    for word in words(text).filter(|word| *word != DEFAULT_TOKEN) {
        // Deduplicate, because every text is searched for every token, and the same token is passed in many times.
        if !hidden.iter().any(|token| token.is(word)) {
            hidden.extend(Token::new(word));
        }
    }
}

/// Removes hidden tokens and their fragments from `text`.
pub fn scrub(text: String) -> String {
    let hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner);
    hidden.iter().fold(text, |text, token| token.scrub(text))
}

/// Removes tokens from the text and writes it to standard output.
#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stdout(text: String) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(scrub(text).as_bytes()).and_then(|()| stdout.flush())
}

/// Removes tokens from the text and writes it to standard error.
#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stderr(text: String) -> Result<()> {
    std::io::stderr().write_all(scrub(text).as_bytes())
}

/// Writes a line to standard error, wrapped to the terminal width. Errors are ignored because no result depends on these
/// lines.
pub fn say(line: &str) {
    let text = wrapped(&format!("{line}\n"), stderr_width());
    let background = BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match background {
        Some(lines) => {
            if lines.try_send(text).is_err() {
                LEFT_OUT.fetch_add(1, Ordering::Relaxed);
            }
        }
        None => drop(stderr(text)),
    }
}

/// The channel to the thread of [`Background`], or `None` if that thread isn't running.
static BACKGROUND: Mutex<Option<SyncSender<String>>> = Mutex::new(None);
/// The maximum number of lines that can wait to be written to standard error. Any further lines are left out.
const MAX_WAITING_LINES: usize = 10_000;
/// The number of lines left out since the last [`Background`] was started.
static LEFT_OUT: AtomicUsize = AtomicUsize::new(0);

/// While this value exists, [`say`] passes its lines to a thread that writes them. Writing to a pipe that isn't read or to a
/// terminal stopped with Ctrl-S can block, and an apply must not block between reading a person and changing them.
pub struct Background(Option<JoinHandle<()>>);

impl Background {
    /// Starts the thread that writes the lines from [`say`].
    ///
    /// # Errors
    /// Returns an error if the thread can't be started.
    pub fn start() -> Result<Self> {
        let (sender, lines) = sync_channel::<String>(MAX_WAITING_LINES);
        let thread = std::thread::Builder::new().name("standard error".into());
        let thread = thread.spawn(move || lines.iter().for_each(|line| drop(stderr(line))))?;
        *BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        LEFT_OUT.store(0, Ordering::Relaxed);
        Ok(Self(Some(thread)))
    }
}

impl Drop for Background {
    /// Waits until all lines have been written. If standard error is never read, a signal can still end the process.
    fn drop(&mut self) {
        *BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(thread) = self.0.take() {
            let _ = thread.join();
        }
        let left_out = LEFT_OUT.load(Ordering::Relaxed);
        if left_out > 0 {
            say(&format!("{left_out} lines were left out here because standard error was not read."));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Returns the width of the terminal in columns, or `None` if standard output isn't a terminal.
#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stdout_width() -> Option<usize> {
    width(terminal_size::terminal_size_of(std::io::stdout()))
}

/// Returns the width of the terminal in columns, or `None` if standard error isn't a terminal.
#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stderr_width() -> Option<usize> {
    width(terminal_size::terminal_size_of(std::io::stderr()))
}

fn width(size: Option<(Width, Height)>) -> Option<usize> {
    size.map(|(Width(columns), _)| usize::from(columns)).filter(|columns| *columns > 0)
}

/// Installs a panic hook that removes tokens, since the standard library's hook would print a token that's in the panic message.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let _ = stderr(panicked(panic)); // not wrapped because a panic while wrapping would abort
    }));
}

fn panicked(panic: &PanicHookInfo<'_>) -> String {
    let what = panic.payload_as_str().unwrap_or("no description");
    let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
    let trace = Backtrace::capture(); // empty unless RUST_BACKTRACE is set
    let trace =
        if trace.status() == BacktraceStatus::Captured { format!("\n{trace}") } else { String::new() };
    format!("rolecall failed{place}: {what}\nThis is a bug in rolecall. Please report it.{trace}\n")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn invalid_tokens_are_hidden_and_the_public_token_is_shown() {
        hide("\"tok_0f3e9a77c1d2\"\n");
        hide(DEFAULT_TOKEN);
        assert_eq!(scrub("bad value 'tok_0f3e9a77c1d2'".into()), "bad value '[token]'");
        assert_eq!(scrub("TOK_0F3E9A77C1D2".into()), "[token]");
        assert_eq!(scrub(DEFAULT_TOKEN.into()), DEFAULT_TOKEN);
    }
}
