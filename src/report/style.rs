//! Terminal styles, named by meaning. Without colors, all of them are empty.

use anstyle::AnsiColor;
pub use anstyle::Style;

#[derive(Debug, Clone, Copy, Default)]
pub struct Styles {
    pub heading: Style,
    pub change: Style,
    /// For something that needs no action.
    pub good: Style,
    pub attention: Style,
    pub bad: Style,
    /// For less important text, such as file locations.
    pub quiet: Style,
}

impl Styles {
    /// Returns the styles with colors, or empty styles.
    pub fn new(colors: bool) -> Self {
        if !colors {
            return Self::default();
        }
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        Self {
            heading: Style::new().bold(),
            change: color(AnsiColor::Yellow),
            good: color(AnsiColor::Green),
            attention: color(AnsiColor::Magenta),
            bad: color(AnsiColor::Red).bold(),
            quiet: Style::new().dimmed(),
        }
    }
}

/// Wraps `text` in the codes of `style`.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
