#!/bin/sh
# rolecall in any pipeline (docs/ci.md). Exits with the code of rolecall (docs/exit-codes.md), except that a plan with changes is a
# success.
#
#   rolecall.sh check            checks the files offline. With BEFORE, also reports what they declare differently. For forks too
#   rolecall.sh plan             reports what would change, and stores the plan in OUT/plan.json. With BEFORE, also says which
#                                changes these files cause. For the pull request
#   rolecall.sh apply PLAN       applies exactly that plan, or a part of it, or nothing. For the merge
#   rolecall.sh scheduled        applies windows and reverts manual changes, if the last apply covered the files. Otherwise, or with
#                                ROLECALL_SCHEDULE=report, only reports. Then exits with 2 if a change is due or the files differ
#
# PYLON_API_TOKEN  the token, for every command except check.
# CONFIG           the root file (users.toml).
# BEFORE           the root file before the change, from another checkout.
# TIP              for apply and scheduled: the root file at the tip of the branch, from another checkout. If it declares other
#                  files, nothing is applied (exit code 5), so that running an old apply again undoes nothing.
# APPLIED          the file for the digest of the applied files (OUT/applied.txt). scheduled needs it, so keep it between runs.
# OUT              the folder for reports and the plan (rolecall-out): report.md, compare.md, plan.json, journal-….jsonl.
#
# Run apply and scheduled one at a time. Most systems have a lock, a concurrency group, or a resource group for this.
set -eu

config=${CONFIG:-users.toml}
out=${OUT:-rolecall-out}
applied=${APPLIED:-$out/applied.txt}
umask 077 # reports contain people's names
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

# A failed comparison is only a warning, because otherwise a change that fixes broken files could not be merged.
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
