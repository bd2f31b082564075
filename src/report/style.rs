//! Named styles: what a thing is, not how it looks. Without colours each is nothing at all.

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
    /// With colours, or with none.
    pub fn new(colours: bool) -> Self {
        if !colours {
            return Self::default();
        }
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        Self {
            heading: Style::new().bold(),
            change: colour(AnsiColor::Yellow),
            good: colour(AnsiColor::Green),
            attention: colour(AnsiColor::Magenta),
            bad: colour(AnsiColor::Red).bold(),
            quiet: Style::new().dimmed(),
        }
    }
}

/// Wraps `text` in the codes of `style`.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
