//! Named styles: what a thing is, not how it looks. Without colors each is nothing at all.

use anstyle::AnsiColor;
pub use anstyle::Style;

/// How each kind of text looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Styles {
    pub heading: Style,
    pub change: Style,
    /// Something as it should be.
    pub good: Style,
    pub attention: Style,
    pub bad: Style,
    /// What is beside the point: places, names.
    pub quiet: Style,
}

impl Styles {
    /// With colors, or with none.
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
