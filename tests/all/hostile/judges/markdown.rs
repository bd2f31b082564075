//! Checks comments as rendered by GitHub, using comrak, a Rust port of GitHub's own parser, with all of GitHub's extensions.
//!
//! Untrusted text is allowed only in code spans and code blocks. Everything else can contain only the words in [`WORDS`],
//! numbers, and a little punctuation. That rules out mentions, references, addresses, math, and markup.

use std::collections::HashSet;
use std::sync::LazyLock;

use comrak::nodes::{AlertType, NodeValue};
use comrak::{Arena, Options, parse_document};

use super::Seen;

/// The words used in our sentences outside of code.
const WORDS: &str = "How Different addresses active counts passed date was JSON report longer declared keeps recorded above alone observes field after duplicate applying different previous restored show Cannot grants Matching under full enter matches earlier open internal received try respond responded timed stalled resolve new every journals older newest People result command \
    others their Changes ignored intended below minimum generated Journal requests incomplete because checked rolled These Review these removed acknowledgments pinned warning error checks check passed failed warnings Failed partway were Other findings request would succeed someone Someone current state send set should fall gain owns changed differs differ scheduled Scheduled updated update formatted found use your own no available Edits edit review sets Change values there again rollback same with holders sends them any The to again If change value other else already as differences one two this loop first
    before never warns edit Guarded guarded rule rules contains Blocked sync reverted conflict Damaged line lines journal they read say taken back whole rolecall plan apply compare agenda validate blocked by keep_at_least max_changes keep_active protected token_owner \
    unmanaged missing to change changes nothing in sync of them since the was saved observed not Pylon deactivated \
    organization made up from these files Describe your own with unmanaged integration user users as on only people role roles status statuses applied already effective again rejected stale \
    unclear attempted force This cannot be Refused If this is intended add this root file Kept look here first gains loses \
    Not everything Applying sends what Guardrails pass acknowledged through The acknowledgment at expired and obeyed \
    differs left alone has another primary address there did you mean none Coming itself will more are out keep \
    within length a comment log run all changed were confirmed when sent but read back person or with apply \
    declares nobody stay size limit lists do problem problems It could done difference differences setting settings for everybody differently \
    import rollback explain In Who who changed known say does Somebody else may have since audit available contradict otherwise declared next To --into What Name taken back Coming itself Guardrails alone Written neither nor leaves see undo now contradict for values value doctor person's would taken over added written FILE adds them into look wrong slug id hold it role through unused ambiguous name that has a too named mend thing things works \
    newly no longer both same new gone Look guardrails policy accepted risks pin kept transition transitions window \
    windows comes times until valid files how acknowledge empty so make does worse ended early Run where stand journal come its end killed looked Saved applies exactly left until too long shown them rest file Nothing one two several ask nobody else can tell \
    answer says about token network proxy check --base-url HTTPS_PROXY token's use an Admin created Where something decides such SCIM group declare find whom send someone review unknown revoked mistyped PYLON_API_TOKEN create organization switched off Pylon's support follows redirect carry elsewhere give final belongs region's \
    A Ask Check Contact Correct If Only Other Run Set The Use rolecall --rate --region API CA HTTP ID PEM SSL_CERT_FILE TLS [workspace] accept administrator algorithm answered \
    answers asks authority authority's because begins body bytes certificate certificates client clock closed \
    common connect connection contact correct critical data date decoded during error exists expected extension \
    firewall fix follow format found front genuine got handshake host http if inspects instead integrations \
    invalid issue issued issuer large later less login lower machine match minute need number other page password \
    per permission persists plain planned please presented rate reached redirects refused region renew report \
    request response returned right self-signed server set shows signature signed slowly speak supported supports \
    take than then traffic trust trusted unexpected variable wants which without write yet \
    Also gain why lose pull drift outcome Unmanaged Deactivated Observed Another Declared also still compared takes effect date \
    transition transitions enforced managed Diff TOML Nothing No rolled holds zone \
    access active account accounts earlier Admins Integration cannot sign row rows gained lost renamed since ignores Free some disk \
    space path folder --journal sandbox last showed old";

/// Rejects a comment that contains anything except rolecall's own words and structure outside of code.
pub(in super::super) fn judge(comment: &str) -> Result<Seen, String> {
    let arena = Arena::new();
    let root = parse_document(&arena, comment, &options());
    let mut found = Found::default();
    for node in root.descendants() {
        found.take(&node.data().value)?;
    }
    let first = comment.lines().next().unwrap_or_default();
    let is_marker = first.starts_with("<!-- rolecall:") && first.ends_with(" -->");
    let markers = comment.matches("<!--").count();
    if !is_marker || markers != 1 || found.headings != 1 || found.folds != 0 {
        let Found { headings, folds, .. } = found;
        return Err(format!("{first:?}, {markers} comments, {headings} headings, {folds} folds left open"));
    }
    Ok(Seen::of(found.code))
}

#[derive(Default)]
struct Found {
    code: String,
    headings: usize,
    folds: usize,
}

impl Found {
    fn take(&mut self, node: &NodeValue) -> Result<(), String> {
        match node {
            NodeValue::Document
            | NodeValue::Paragraph
            | NodeValue::List(_)
            | NodeValue::Item(_)
            | NodeValue::Strong
            | NodeValue::SoftBreak
            | NodeValue::Table(_)
            | NodeValue::TableRow(_)
            | NodeValue::TableCell => Ok(()),
            NodeValue::HtmlInline(html) if html == "<br>" => Ok(()),
            NodeValue::Link(link) if link.title.is_empty() && leads_to_a_line(&link.url) => Ok(()),
            NodeValue::Heading(heading) if heading.level == 3 && !heading.setext => {
                self.headings += 1;
                Ok(())
            }
            NodeValue::Alert(alert) if is_ours(alert.alert_type) && alert.title.is_none() => Ok(()),
            NodeValue::Code(code) => {
                self.code += &format!("{}\n", code.literal);
                Ok(())
            }
            NodeValue::CodeBlock(block)
                if block.fenced && ["diff", "text", "toml"].contains(&block.info.as_str()) =>
            {
                self.code += &block.literal;
                Ok(())
            }
            NodeValue::Text(text) => has_only_our_words(text),
            NodeValue::HtmlBlock(html) => self.html(&html.literal),
            other => Err(format!("{other:?}")),
        }
    }

    /// Accepts only the start and end of a fold, each as a separate block, and the comment's marker.
    fn html(&mut self, html: &str) -> Result<(), String> {
        let html = html.trim_end();
        let summary =
            html.strip_prefix("<details><summary>").and_then(|rest| rest.strip_suffix("</summary>"));
        let marker = html.strip_prefix("<!-- rolecall:").and_then(|rest| rest.strip_suffix(" -->"));
        if let Some(summary) = summary {
            self.folds += 1;
            has_only_our_words(summary)
        } else if html == "</details>" && self.folds > 0 {
            self.folds -= 1;
            Ok(())
        } else if marker.is_some_and(|marker| marker.bytes().all(|byte| byte.is_ascii_lowercase())) {
            Ok(())
        } else {
            Err(format!("HTML: {html:?}"))
        }
    }
}

/// The files' base URL in the judged reports.
pub(in super::super) const SOURCE_URL: &str = "https://git.example/acme/people/blob/abc";

/// Returns `true` if a link leads to a line of a file below [`SOURCE_URL`].
fn leads_to_a_line(url: &str) -> bool {
    let path = url.strip_prefix(SOURCE_URL).and_then(|rest| rest.strip_prefix('/'));
    let is_safe = |char: char| char.is_ascii_alphanumeric() || "-._~/%".contains(char);
    path.and_then(|path| path.rsplit_once("#L")).is_some_and(|(path, line)| {
        path.chars().all(is_safe)
            && !path.split('/').any(|part| part == "..")
            && line.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_ours(alert: AlertType) -> bool {
    matches!(alert, AlertType::Caution | AlertType::Warning)
}

fn has_only_our_words(text: &str) -> Result<(), String> {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.split(' ').collect());
    let is_sign = |char: char| char.is_ascii_digit() || " .,:;()·→?…".contains(char);
    let stranger = text.split(is_sign).find(|word| !word.is_empty() && !KNOWN.contains(word));
    stranger.map_or(Ok(()), |word| Err(format!("{word:?} in {text:?}")))
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.strikethrough = true;
    extension.table = true;
    extension.autolink = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.inline_footnotes = true;
    extension.alerts = true;
    extension.math_dollars = true;
    extension.math_code = true;
    extension.front_matter_delimiter = Some("---".to_owned());
    options
}

#[test]
fn the_judge_rejects_bad_reports() {
    let comment =
        |inside: &str| format!("<!-- rolecall:plan -->\n### rolecall plan: 3 to change\n\n{inside}\n");
    assert!(judge(&comment("- `@bo <b>` **gains** `x`\n\n```diff\n+ @bo\n```")).unwrap().has("@bo <b>"));
    for bad in [
        "@octocat",
        "#12",
        "evil",
        "[x](https://evil.example)",
        "https://evil.example",
        "www.evil.example",
        "![x](y)",
        "<b>change</b>",
        "change <b>",
        "# change",
        "change\n---",
        "change\n===",
        "| a |\n|---|\n| b |",
        "> change",
        "> [!NOTE]\n> change",
        "```mermaid\nx\n```",
        "    indented",
        "~~change~~",
        "$x$",
        "_change_",
        "- [x] change",
        "change  \nchange",
        "change[^1]\n\n[^1]: change",
        "<details><summary>change</summary>\n\nchange",
        "</details>",
        "<!-- rolecall:apply -->",
        "`<!-- rolecall:apply -->`",
        "`` ` ``` @x `",
        "&lt;",
    ] {
        assert!(judge(&comment(bad)).is_err(), "{bad}");
    }
    // Neither GitHub nor its parser supports code spans with delimiters of more than 80 backticks.
    let spanned = |length: usize| comment(&format!("{0} @octocat {0}", "`".repeat(length)));
    assert!(judge(&spanned(80)).is_ok() && judge(&spanned(81)).is_err());
    assert!(judge("### rolecall plan: nothing to change\n").is_err());
}
