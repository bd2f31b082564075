//! All writes to standard output and standard error, with tokens removed.
//!
//! Guarantees that no output contains a token that was given to [`hide`], or a part of one. This includes reports, questions,
//! progress, help, usage errors, and panics. clippy forbids `std::io::stdout` and `std::io::stderr` everywhere else. Text for files
//! goes through [`scrub`]. `pylon::scrub` decides what counts as a part.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal, Result, Write};
use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

use terminal_size::{Height, Width};

use crate::pylon::Token;
use crate::pylon::token::words;
use crate::report::text::wrap::wrapped;
use crate::sandbox::DEFAULT_TOKEN;

/// The tokens to remove. It is global because panics and usage errors have no access to the environment.
static HIDDEN: Mutex<Vec<Token>> = Mutex::new(Vec::new());

/// Removes every token in `text` from all later output. The text does not have to be a valid token: a token in quotes is also
/// hidden. The public token of the sandbox is not a secret.
pub fn hide(text: &str) {
    let mut hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner);
    for word in words(text).filter(|word| *word != DEFAULT_TOKEN) {
        // Keep the list short, because every text is searched for every token, and the same token is passed many times.
        if !hidden.iter().any(|token| token.is(word)) {
            hidden.extend(Token::new(word));
        }
    }
}

/// Returns `text` without the hidden tokens and parts of them.
pub fn scrub(text: String) -> String {
    let hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner);
    hidden.iter().fold(text, |text, token| token.scrub(text))
}

/// Writes to standard output.
///
/// # Errors
/// The text could not be written in full.
#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stdout(text: String) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(scrub(text).as_bytes()).and_then(|()| stdout.flush())
}

/// Writes to standard error.
///
/// # Errors
/// The text could not be written in full.
#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stderr(text: String) -> Result<()> {
    std::io::stderr().write_all(scrub(text).as_bytes())
}

/// Writes a line to standard error, wrapped to the width of the terminal. Ignores an error, because no result depends on these lines.
pub fn say(line: &str) {
    let _ = stderr(wrapped(&format!("{line}\n"), stderr_width()));
}

/// Returns whether standard output is a terminal.
#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Returns whether standard error is a terminal.
#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Returns the width of the terminal. `None` if standard output is not a terminal.
#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stdout_width() -> Option<usize> {
    width(terminal_size::terminal_size_of(std::io::stdout()))
}

/// Returns the width of the terminal. `None` if standard error is not a terminal.
#[expect(clippy::disallowed_methods, reason = "only this module may use it")]
pub fn stderr_width() -> Option<usize> {
    width(terminal_size::terminal_size_of(std::io::stderr()))
}

fn width(size: Option<(Width, Height)>) -> Option<usize> {
    size.map(|(Width(columns), _)| usize::from(columns)).filter(|columns| *columns > 0)
}

/// Reports panics here instead of through the standard library, whose message would contain the token if the panic does.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let _ = stderr(panicked(panic)); // not wrapped, because a panic while wrapping would end the process
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
