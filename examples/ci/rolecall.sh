#!/bin/sh
# Runs rolecall in any CI system (docs/ci.md). Exits with rolecall's exit code (docs/exit-codes.md), except that a plan with changes
# counts as a success.
#
#   rolecall.sh check            For every change, including those from forks: validates the files offline. With BEFORE, also reports
#                                the differences in what they declare.
#   rolecall.sh plan             For pull requests: reports the pending changes and stores the plan in OUT/plan.json. With BEFORE, also
#                                shows which of the changes these files cause.
#   rolecall.sh apply PLAN       For merges: applies exactly that plan, what remains of it, or nothing.
#   rolecall.sh scheduled        Applies windows and reverts manual changes if the last apply covered the files. Otherwise, or with
#                                ROLECALL_SCHEDULE=report, only reports, and exits with 2 if a change is due or the files differ.
#
# Environment variables, with defaults in parentheses:
#
# PYLON_API_TOKEN  The API token. Every command except check needs it.
# CONFIG           The root file (users.toml).
# BEFORE           The root file before the change, in another checkout.
# TIP              For apply and scheduled: the root file at the tip of the branch, in another checkout. If the tip declares other
#                  files, nothing is applied (exit code 5), so rerunning an old apply cannot undo anything.
# APPLIED          Where to store the digest of the applied files (OUT/applied.txt). scheduled needs it, so preserve it between runs.
# OUT              The folder for reports and the plan (rolecall-out): report.md, compare.md, plan.json, journal-….jsonl.
#
# Never run apply and scheduled concurrently. Most CI systems offer a lock, a concurrency group, or a resource group for this.
set -eu

config=${CONFIG:-users.toml}
out=${OUT:-rolecall-out}
applied=${APPLIED:-$out/applied.txt}
umask 077 # the reports contain personal names
mkdir -p "$out"
rm -f "$out/report.md" "$out/compare.md"

run() {
    verb=$1
    shift
    rolecall "$verb" --config "$config" --report "markdown=$out/report.md" "$@"
}

digest() {
    rolecall validate --config "$1" --format json | sed -n 's/.*"digest": *"\(sha256:[0-9a-f]*\)".*/\1/p'
}

# Exits with 5 if the tip of the branch declares other files.
covered_by_tip() {
    if [ -z "${TIP:-}" ] || [ "$(digest "$TIP")" = "$(digest "$config")" ]; then return 0; fi
    echo "The newest commit of the branch declares other files. Nothing was applied. See the newest run of the branch." >&2
    exit 5
}

apply() {
    run apply --auto-approve --journal "$out/journal-$(date -u +%Y%m%dT%H%M%SZ)-$$.jsonl" "$@"
}

# A failed comparison only causes a warning; otherwise, a change that fixes broken files could never be merged.
compare() {
    [ -n "${BEFORE:-}" ] || return 0
    rolecall compare "$BEFORE" "$config" --report "markdown=$out/compare.md" || echo "Cannot compare the files. The log says why." >&2
}

case ${1:-} in
    check)
        run validate
        compare
        ;;
    plan)
        code=0
        run plan --output "$out/plan.json" ${BEFORE:+--base "$BEFORE"} || code=$?
        if [ "$code" != 0 ]; then rm -f "$out/plan.json"; fi
        exit "$code"
        ;;
    apply)
        if [ ! -f "${2:-}" ]; then
            echo "No reviewed plan found. Nothing was applied. Pass the plan.json that the plan of this change stored." >&2
            exit 1
        fi
        covered_by_tip
        apply "$2"
        digest "$config" > "$applied"
        ;;
    scheduled)
        if [ "${ROLECALL_SCHEDULE:-apply}" = report ]; then
            run plan --blame --detailed-exitcode
            exit
        fi
        covered_by_tip
        if [ -s "$applied" ] && [ "$(cat "$applied")" = "$(digest "$config")" ]; then
            apply
        else
            echo "Nothing was applied: the files are not those that the last successful apply covered. Run an apply." >&2
            run plan --blame --detailed-exitcode
            exit 2
        fi
        ;;
    *)
        echo "Usage: rolecall.sh check | plan | apply PLAN | scheduled" >&2
        exit 64
        ;;
esac
