//! Terminal styles, named by purpose. They are all empty if colors are disabled.

use anstyle::AnsiColor;
pub use anstyle::Style;

use super::tables::Mark;

#[derive(Debug, Clone, Copy, Default)]
pub struct Styles {
    pub heading: Style,
    pub change: Style,
    /// For results that need no action.
    pub good: Style,
    pub attention: Style,
    pub bad: Style,
    /// For secondary details, such as file locations.
    pub quiet: Style,
}

impl Styles {
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

    pub fn for_mark(&self, mark: Mark) -> Style {
        match mark {
            Mark::Plain => Style::new(),
            Mark::Good => self.good,
            Mark::Attention => self.attention,
            Mark::Bad => self.bad,
        }
    }
}

pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
