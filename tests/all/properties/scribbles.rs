//! Random `users.toml` files, written in every way that people might write them: people in every form, and keys in any order
//! and spelling. Comments and blank lines appear wherever TOML allows them. Every file is a valid roster.
//!
//! Every choice consumes a number from a list, and zero picks the simplest option. Failing cases therefore shrink to simple
//! files.

/// Supplies the numbers behind all choices. Once the list is exhausted, every number is zero.
pub(super) struct Dice<'d> {
    rolls: std::slice::Iter<'d, u16>,
}

impl<'d> Dice<'d> {
    pub(super) fn new(rolls: &'d [u16]) -> Self {
        Self { rolls: rolls.iter() }
    }

    /// Returns a number from 0 up to, but not including, `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        usize::from(self.rolls.next().copied().unwrap_or(0)) % sides
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    /// Returns `true` one time in `sides`.
    pub(super) fn once_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == sides - 1
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for from in 0..list.len() {
            let to = from + self.roll(list.len() - from);
            list.swap(from, to);
        }
    }
}

/// A file, the people in it, and the number of comments in it. The comments are `# c0;`, `# c1;`, and so on.
#[derive(Debug)]
pub(super) struct Scribble {
    pub(super) text: String,
    pub(super) people: Vec<String>,
    pub(super) comments: usize,
}

pub(super) const ROLES: [&str; 4] = ["Member", "Admin", "Lead \"#1\"", "tab\\t'quote'"];

struct Writer<'d> {
    dice: Dice<'d>,
    comments: usize,
}

/// Generates a file from a list of rolls.
pub(super) fn scribble(rolls: &[u16]) -> Scribble {
    let mut writer = Writer { dice: Dice::new(rolls), comments: 0 };
    let count = writer.dice.roll(7);
    let mut numbers: Vec<usize> = (0..count).collect();
    writer.dice.shuffle(&mut numbers);
    let people: Vec<String> = numbers.iter().map(|number| address(*number)).collect();
    let mut text = writer.file(&people);
    if writer.dice.once_in(6) {
        text = text.replace('\n', "\r\n");
    }
    if writer.dice.once_in(12) {
        text.insert(0, '\u{feff}');
    }
    if writer.dice.once_in(6) {
        text.truncate(text.trim_end().len());
    }
    Scribble { text, people, comments: writer.comments }
}

/// Returns the address of person `number`. Some addresses contain capitals.
pub(super) fn address(number: usize) -> String {
    match number % 3 {
        0 => format!("p{number}@acme.example"),
        1 => format!("P{number}@Acme.example"),
        _ => format!("x#{number}'s@acme.example"),
    }
}

impl Writer<'_> {
    fn file(&mut self, people: &[String]) -> String {
        let mut root = Vec::new();
        if self.dice.once_in(3) {
            root.push(self.statement("timezone", "\"Europe/Berlin\""));
        }
        if self.dice.once_in(3) {
            root.push(self.statement("allow_unicode_emails", "true"));
        }
        let mut sections = Vec::new();
        self.settings(&mut root, &mut sections);
        let (mut lines, mut tables) = (Vec::new(), Vec::new());
        let users_at_root = self.dice.once_in(8);
        for address in people {
            let prefix = if users_at_root { "users." } else { "" };
            self.person(prefix, address, &mut lines, &mut tables);
        }
        if users_at_root {
            root.extend(lines);
        } else if !lines.is_empty() || self.dice.once_in(3) {
            sections.push(self.header("[users]") + &lines.concat());
        }
        sections.extend(tables);
        self.dice.shuffle(&mut root);
        self.dice.shuffle(&mut sections);
        let directive = if self.dice.once_in(6) { "#:schema ./users.schema.json\n" } else { "" };
        let end = self.trivia();
        directive.to_owned() + &root.concat() + &sections.concat() + &end
    }

    fn settings(&mut self, root: &mut Vec<String>, sections: &mut Vec<String>) {
        let tables: [(&str, &[(&str, &str)]); 4] = [
            ("workspace", &[("region", "'eu'"), ("organization", "\"org_1\"")]),
            ("policy", &[("extra_roles", "\"ignore\""), ("role", "\"observe\""), ("status", "'enforce'")]),
            ("defaults", &[("role", "\"Member\"")]),
            (
                "guardrails",
                &[
                    ("protected", "[\"a@acme.example\",'b@acme.example'\t]"),
                    ("max_changes", "0x1_0"),
                    ("keep_at_least", "{Admin=2, \"Lead # 2\"= 1}"),
                    ("missing", "\"\"\"block\"\"\""),
                ],
            ),
        ];
        for (name, keys) in tables {
            if self.dice.once_in(2) {
                continue;
            }
            let mut keys = keys.to_vec();
            self.dice.shuffle(&mut keys);
            match self.dice.roll(6) {
                4 => {
                    let pairs: Vec<String> =
                        keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                    root.push(self.statement(name, &format!("{{ {} }}", pairs.join(", "))));
                }
                5 => root.extend(
                    keys.iter()
                        .map(|(key, value)| self.statement(&format!("{name}.{key}"), value))
                        .collect::<Vec<_>>(),
                ),
                _ => {
                    let lines: String = keys.iter().map(|(key, value)| self.statement(key, value)).collect();
                    sections.push(self.header(&format!("[{name}]")) + &lines);
                }
            }
        }
        for number in 0..self.dice.roll(3) {
            let figure = number.to_string();
            let mut keys = vec![
                ("expires", "2026-12-01"),
                ("up_to", figure.as_str()),
                ("reason", "'''because'''"),
                ("guardrail", "\"max_changes\""),
            ];
            self.dice.shuffle(&mut keys);
            let lines: String = keys.iter().map(|(key, value)| self.statement(key, value)).collect();
            sections.push(self.header("[[acknowledge]]") + &lines);
        }
    }

    /// Writes a person in a random form.
    fn person(&mut self, prefix: &str, address: &str, lines: &mut Vec<String>, tables: &mut Vec<String>) {
        let key = if self.dice.once_in(3) && !address.contains('\'') {
            format!("'{address}'")
        } else {
            format!("\"{address}\"")
        };
        let mut fields = Vec::new();
        let has_status = self.dice.once_in(2);
        if self.dice.roll(3) > 0 {
            fields.push(("role", self.role()));
        }
        if has_status {
            fields.push(("status", self.status()));
        }
        let windows = if self.dice.once_in(3) { self.windows(!has_status) } else { Vec::new() };
        let form = self.dice.roll(6);
        // Form 5 writes its windows as arrays of tables, further down.
        if form != 5 && (!windows.is_empty() || self.dice.once_in(4)) {
            let list = self.list(&windows);
            fields.push(("windows", list));
        }
        self.dice.shuffle(&mut fields);
        match form {
            0 | 1 => {
                let pairs: Vec<String> =
                    fields.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                let space = self.space();
                lines.push(
                    self.statement(
                        &format!("{prefix}{key}"),
                        &format!("{{{space}{}{space}}}", pairs.join(",")),
                    ),
                );
            }
            2 if !fields.is_empty() => {
                for (field, value) in fields {
                    lines.push(self.statement(&format!("{prefix}{key} . {field}"), &value));
                }
            }
            3 => {
                // Since TOML 1.1, an inline table can span several lines.
                let mut pairs = String::new();
                for (field, value) in fields {
                    pairs += &format!("{}  {field}={value}, {}\n", self.trivia(), self.behind());
                }
                lines.push(self.statement(&format!("{prefix}{key}"), &format!("{{\n{pairs}}}")));
            }
            5 => {
                let mut text = String::new();
                if !fields.is_empty() || windows.is_empty() {
                    text += &self.header(&format!("[users.{key}]"));
                    text +=
                        &fields.iter().map(|(field, value)| self.statement(field, value)).collect::<String>();
                }
                for window in windows {
                    text += &self.header(&format!("[[users.{key}.windows]]"));
                    for pair in window {
                        let (field, value) = pair.split_once(" = ").expect("a pair");
                        text += &self.statement(field, value);
                    }
                }
                tables.push(text);
            }
            _ => {
                let mut text = self.header(&format!("[ users . {key} ]"));
                text += &fields.iter().map(|(field, value)| self.statement(field, value)).collect::<String>();
                tables.push(text);
            }
        }
    }

    fn role(&mut self) -> String {
        // Includes TOML escapes and two ways to write the same string.
        self.dice
            .pick(&["\"Member\"", "'Admin'", "\"Lead \\\"#1\\\"\"", "'Lead \"#1\"'", "\"\"\"Member\"\"\""])
            .to_owned()
    }

    fn status(&mut self) -> String {
        self.dice.pick(&["\"active\"", "'away'", "\"out_of_office\""]).to_owned()
    }

    /// Generates windows that don't overlap.
    fn windows(&mut self, needs_then: bool) -> Vec<Vec<String>> {
        let days = [
            ("2026-11-01", "2026-12-01T08:00:00Z"),
            ("2026-12-20", "2027-01-03"),
            ("2027-02-01 07:00:00", "2027-03-01"),
        ];
        let count = 1 + self.dice.roll(3);
        let mut windows = Vec::new();
        for (from, until) in &days[..count] {
            let mut pairs = vec![
                format!("until = {until}"),
                format!("from = {from}"),
                format!("status = {}", self.status()),
            ];
            if needs_then {
                pairs.push("then = \"active\"".to_owned());
            }
            if self.dice.once_in(3) {
                pairs.push("reason = \"see \\\"#4\\\"\"".to_owned());
            }
            self.dice.shuffle(&mut pairs);
            windows.push(pairs);
        }
        windows
    }

    /// Writes a list of windows on one or more lines, interspersed with comments.
    fn list(&mut self, windows: &[Vec<String>]) -> String {
        let is_tall = self.dice.once_in(2);
        let elements: Vec<String> =
            windows.iter().map(|pairs| format!("{{ {} }}", pairs.join(", "))).collect();
        if !is_tall {
            return format!("[{}]", elements.join(","));
        }
        let mut list = format!("[{}\n", self.behind());
        for element in elements {
            let comma = if self.dice.once_in(3) { format!("{}\n,", self.behind()) } else { ",".to_owned() };
            list += &format!("{}    {element}{comma}{}\n", self.trivia(), self.behind());
        }
        list + &self.trivia() + "]"
    }

    fn header(&mut self, header: &str) -> String {
        format!("{}{header}{}\n", self.trivia(), self.behind())
    }

    fn statement(&mut self, key: &str, value: &str) -> String {
        let indent = if self.dice.once_in(8) { "\t " } else { "" };
        let (before, after) = (self.space(), self.space());
        format!("{}{indent}{key}{before}={after}{value}{}\n", self.trivia(), self.behind())
    }

    fn space(&mut self) -> &'static str {
        self.dice.pick(&[" ", " ", "", "   ", "\t"])
    }

    /// Writes blank lines and comments above a line.
    fn trivia(&mut self) -> String {
        let mut trivia = String::new();
        for _ in 0..self.dice.roll(10).saturating_sub(5) {
            trivia += &match self.dice.roll(3) {
                0 => "\n".to_owned(),
                1 => " \t\n".to_owned(),
                _ => format!("{}{}\n", self.dice.pick(&["", "  "]), self.comment()),
            };
        }
        trivia
    }

    /// Writes a comment at the end of a line.
    fn behind(&mut self) -> String {
        match self.dice.roll(8) {
            5 => "  ".to_owned(),
            6 => format!(" {}", self.comment()),
            7 => format!("      {}  ", self.comment()),
            _ => String::new(),
        }
    }

    fn comment(&mut self) -> String {
        self.comments += 1;
        let about = self.dice.pick(&["", "", " old@x.example"]);
        format!("# c{};{about}", self.comments - 1)
    }
}
