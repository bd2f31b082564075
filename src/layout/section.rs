//! Formats a header and the keys below it. Keys are sorted into canonical order, but never moved past a blank line or a
//! comment. The comment might be about the next key or about everything below it.

use std::mem::take;

use super::parsed::{KeyValue, Placement, TableSection};
use super::value::{dotted, order_below, rank};
use super::writer::LayoutWriter;
use crate::roster::keys;

pub(super) fn write_section(writer: &mut LayoutWriter<'_>, section: TableSection<'_>) {
    let TableSection { path, is_array, head, pairs } = section;
    write_header(writer, &path, is_array, &head);
    if !head.foot.is_empty() {
        writer.blank();
    }
    write_pairs(writer, pairs, order_of(&path));
}

pub(super) fn write_header(
    writer: &mut LayoutWriter<'_>,
    path: &[&str],
    is_array: bool,
    head: &Placement<'_>,
) {
    let Placement { blank_above: _, detached, leading, code: _, trailing, foot } = head;
    writer.blank();
    writer.detached(detached);
    writer.comments(leading);
    let path = dotted(path);
    writer.statement(&if is_array { format!("[[{path}]]") } else { format!("[{path}]") }, *trailing);
    writer.comments(foot);
}

/// Writes keys, sorted by `order` within each run (see [`runs`]).
pub(super) fn write_pairs(writer: &mut LayoutWriter<'_>, pairs: Vec<KeyValue<'_>>, order: &[&str]) {
    for (number, mut run) in runs(pairs, |_| false).into_iter().enumerate() {
        if number > 0 {
            writer.blank();
        }
        let detached = take(&mut run[0].placement.detached);
        let foot = run.last_mut().map(|last| take(&mut last.placement.foot)).unwrap_or_default();
        writer.detached(&detached);
        for keys in run.chunk_by_mut(|_, next| next.placement.leading.is_empty()) {
            // A comment above the first key might be about that key only, so keep the key in front.
            let first = usize::from(!keys[0].placement.leading.is_empty());
            keys[first..].sort_by_key(|pair| rank(&pair.path, order));
            for pair in keys {
                writer.pair(pair);
            }
        }
        writer.comments(&foot);
    }
}

/// Splits keys into runs, at blank lines and before each key for which `begins` returns `true`.
pub(super) fn runs<'t>(
    pairs: Vec<KeyValue<'t>>,
    begins: impl Fn(&Placement<'t>) -> bool,
) -> Vec<Vec<KeyValue<'t>>> {
    let mut runs: Vec<Vec<KeyValue<'t>>> = Vec::new();
    for mut pair in pairs {
        // Keys that are adjacent in this list aren't necessarily adjacent in the file. A run also ends after a key with a foot
        // because a blank line follows the foot in the file.
        let foot_above = runs.last().and_then(|run| run.last()).map(|above| &above.placement.foot);
        pair.placement.blank_above |= foot_above.is_some_and(|foot| !foot.is_empty());
        match runs.last_mut() {
            Some(run) if !pair.placement.blank_above && !begins(&pair.placement) => run.push(pair),
            _ => runs.push(vec![pair]),
        }
    }
    runs
}

fn order_of(path: &[&str]) -> &'static [&'static str] {
    match path {
        ["workspace"] => keys::WORKSPACE,
        ["policy"] => keys::POLICY,
        ["guardrails"] => keys::GUARDRAIL,
        [array] if keys::ARRAYS.contains(array) => order_below(array),
        ["users", _] => keys::PERSON,
        ["users", _, "windows"] => order_below("windows"),
        _ => &[],
    }
}
