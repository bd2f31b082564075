#!/bin/sh
# rolecall in any pipeline (docs/ci.md): check, plan, apply, scheduled. Ends as rolecall ends (docs/exit-codes.md), except
# that a plan with changes is no failure.
#
#   rolecall.sh check            the files alone, offline; and with BEFORE what is declared differently. For forks too
#   rolecall.sh plan             what would change; keeps the plan in OUT/plan.json. In the pull request
#   rolecall.sh apply PLAN       exactly that plan, or a part of it, or nothing. On merge
#   rolecall.sh scheduled        time windows, and what was changed by hand: applies, if the files are those that the last apply
#                                covered. Otherwise, or with ROLECALL_SCHEDULE=report, only reports, and ends with 2 when
#                                something is due or the files are others
#
# PYLON_API_TOKEN  the token, for all but check
# CONFIG           the root file (users.toml)
# BEFORE           the root file before the change, from another checkout
# TIP              for apply and scheduled: the root file at the tip of the branch, from another checkout. If it declares other
#                  files, nothing is applied (exit 5), so that running an old apply again undoes nothing
# APPLIED          where apply keeps the digest of the files that it covered, for scheduled (OUT/applied.txt); keep it from run to run
# OUT              where reports and the plan go (rolecall-out): report.md, compare.md, plan.json, journal-….jsonl
#
# Run apply and scheduled one at a time: most systems call it a lock, a concurrency group or a resource group.
set -eu

config=${CONFIG:-users.toml}
out=${OUT:-rolecall-out}
applied=${APPLIED:-$out/applied.txt}
umask 077 # the reports name people
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

# Ends with 5 if the tip of the branch declares other files.
covered_by_tip() {
    if [ -z "${TIP:-}" ] || [ "$(digest "$TIP")" = "$(digest "$config")" ]; then return 0; fi
    echo "The branch has moved on and declares other files: nothing was applied. Look at its newest run." >&2
    exit 5
}

apply() {
    run apply --auto-approve --journal "$out/journal-$(date -u +%Y%m%dT%H%M%SZ)-$$.jsonl" "$@"
}

# It informs and does not judge: files that were broken before must not keep the change out that repairs them.
compare() {
    [ -n "${BEFORE:-}" ] || return 0
    rolecall compare "$BEFORE" "$config" --report "markdown=$out/compare.md" || echo "The files could not be compared." >&2
}

case ${1:-} in
    check)
        run validate
        compare
        ;;
    plan)
        code=0
        run plan --output "$out/plan.json" || code=$?
        [ "$code" = 1 ] || compare
        if [ "$code" != 0 ]; then rm -f "$out/plan.json"; fi
        exit "$code"
        ;;
    apply)
        if [ ! -f "${2:-}" ]; then
            echo "No reviewed plan: nothing was applied. Give the plan.json that the plan of this change has kept." >&2
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
            echo "Nothing was applied: the files are not those that the last successful apply covered." >&2
            run plan --blame --detailed-exitcode
            exit 2
        fi
        ;;
    *)
        echo "Usage: rolecall.sh check | plan | apply PLAN | scheduled" >&2
        exit 64
        ;;
esac
