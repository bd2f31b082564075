//! Checks pages the way a browser parses them. An HTML parser must find no errors, only elements and attributes from a short
//! list, and no style sheet except our own.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use super::Seen;

const STYLE: &str = include_str!("../../../../src/report/html/page.css");

/// All allowed elements and their attributes. They can't run, load, or send anything, and links lead only to sections of the page.
const ELEMENTS: &[(&str, &[&str])] = &[
    ("html", &["lang"]),
    ("head", &[]),
    ("meta", &["charset", "name", "content", "http-equiv"]),
    ("title", &[]),
    ("style", &[]),
    ("body", &[]),
    ("header", &["class"]),
    ("main", &[]),
    ("nav", &["aria-label"]),
    ("a", &["href"]),
    ("section", &["class", "id"]),
    ("div", &["class", "id", "tabindex", "role", "aria-label"]),
    ("h1", &[]),
    ("h2", &[]),
    ("p", &["class"]),
    ("ul", &["class", "id"]),
    ("li", &[]),
    ("table", &["class"]),
    ("thead", &[]),
    ("tbody", &[]),
    ("tr", &["class"]),
    ("th", &[]),
    ("td", &["class", "rowspan"]),
    ("details", &["class"]),
    ("summary", &[]),
    ("pre", &["class"]),
    ("code", &[]),
    ("mark", &[]),
    ("wbr", &[]),
    ("span", &["class"]),
    ("strong", &[]),
    ("del", &[]),
    ("ins", &[]),
    ("time", &[]),
    ("svg", &["viewBox", "role"]),
    ("g", &["class", "role", "aria-hidden"]),
    ("line", &["class", "x1", "x2", "y1", "y2"]),
    ("rect", &["class", "x", "y", "width", "height", "rx"]),
    ("text", &["class", "x", "y"]),
];

/// The allowed attribute values, which are our own words or numbers. Attributes never contain untrusted text.
const WORDS: &[&str] = &[
    "",
    "en",
    "utf-8",
    "viewport",
    "width=device-width, initial-scale=1",
    "color-scheme",
    "light dark",
    "Content-Security-Policy",
    "default-src 'none'; style-src 'unsafe-inline'",
    "true",
    "Contents",
    "group",
    "part",
    "people",
    "region",
    "img",
    "Window timeline",
    "good",
    "attention",
    "bad",
    "command",
    "about",
    "counts",
    "blocked",
    "refusal",
    "notice",
    "changes",
    "quiet",
    "name",
    "email",
    "field",
    "outcome good",
    "outcome bad",
    "place",
    "differences",
    "sensitive",
    "coming",
    "diff",
    "same",
    "sheet",
    "before",
    "after",
    "problem",
    "headline",
    "label",
    "plain",
    "note",
    "timeline",
    "tick",
    "date",
    "now",
    "today",
    "lane",
    "who",
    "what",
    "where",
    "role",
    "status",
    "several",
];

/// Rejects a page with a parse error, or with elements, attributes, or comments that aren't rolecall's own.
pub(in super::super) fn judge(page: &str) -> Result<Seen, String> {
    // Strip our style sheet first, because parsing it a thousand times would be slow.
    let (head, rest) = page.split_once(STYLE).ok_or("not our style")?;
    let dom = parse_document(RcDom::default(), ParseOpts::default()).one(format!("{head}{rest}"));
    if let Some(error) = dom.errors.borrow().first() {
        return Err(format!("a browser complains: {error}"));
    }
    let mut found = Found::default();
    walk(&dom.document, &mut found)?;
    if found.styles != [""] || !head.ends_with("</title><style>") || head.len() > 1000 {
        return Err("not our style alone, in its place".into());
    }
    Ok(Seen::of(found.text))
}

#[derive(Default)]
struct Found {
    text: String,
    styles: Vec<String>,
}

fn walk(node: &Handle, found: &mut Found) -> Result<(), String> {
    match &node.data {
        NodeData::Document | NodeData::Doctype { .. } => {}
        NodeData::Text { contents } => found.text += &contents.borrow(),
        NodeData::Comment { contents } => return Err(format!("a comment: {contents:?}")),
        NodeData::ProcessingInstruction { target, .. } => return Err(format!("an instruction: {target:?}")),
        NodeData::Element { name, attrs, .. } => {
            let element = &*name.local;
            let Some((_, attributes)) = ELEMENTS.iter().find(|(known, _)| *known == element) else {
                return Err(format!("an element <{element}>"));
            };
            for attribute in attrs.borrow().iter() {
                let (key, value) = (&*attribute.name.local, &*attribute.value);
                let is_number = value.split(' ').all(|word| word.parse::<f64>().is_ok());
                // Links are allowed to lead only to a section of the page.
                let section =
                    if key == "href" { value.strip_prefix('#') } else { (key == "id").then_some(value) };
                let is_section =
                    section.is_some_and(|id| id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'-')));
                let is_word = key != "href" && WORDS.contains(&value);
                if !attributes.contains(&key) || !(is_number || is_section || is_word) {
                    return Err(format!("<{element} {key}={value:?}>"));
                }
            }
            if element == "style" {
                found.styles.push(text_of(node));
                return Ok(());
            }
        }
    }
    // Commands in sentences are enclosed in backticks, which become elements in HTML.
    let mark =
        if matches!(&node.data, NodeData::Element { name, .. } if &*name.local == "code") { "`" } else { "" };
    found.text += mark;
    node.children.borrow().iter().try_for_each(|child| walk(child, found))?;
    found.text += mark;
    Ok(())
}

fn text_of(node: &Handle) -> String {
    let children = node.children.borrow();
    let texts = children.iter().map(|child| match &child.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => String::new(),
    });
    texts.collect()
}

#[test]
fn the_judge_rejects_bad_reports() {
    let page = |inside: &str| {
        format!(
            "<!DOCTYPE html><html><head><title>t</title><style>{STYLE}</style></head><body>{inside}</body></html>"
        )
    };
    assert!(judge(&page("<p class=\"quiet\">a &lt;b&gt;</p>")).unwrap().has("a <b>"));
    for bad in [
        "<script>alert(1)</script>",
        "<p onclick=\"x\">a</p>",
        "<p class=\"x\">a</p>",
        "<a href=\"https://evil.example\">a</a>",
        "<a href=\"changes\">a</a>",
        "<img src=\"x\">",
        "<svg><a xlink:href=\"https://evil.example\">x</a></svg>",
        "<!-- x -->",
        "<style>*{display:none}</style>",
        "</p></div>",
        "a \u{0} b",
        "<p style=\"x\">a</p>",
        "<p>a < b &nosuch; <</p>",
    ] {
        assert!(judge(&page(bad)).is_err(), "{bad}");
    }
    assert!(judge(&page("").replace("DOCTYPE", "doc")).is_err());
    assert!(judge(&page("").replace("--ground", "--grund")).is_err());
}
