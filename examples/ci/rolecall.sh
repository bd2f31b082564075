#!/bin/sh
# rolecall in any pipeline (docs/ci.md): check, plan, apply, scheduled. Ends as rolecall ends (docs/exit-codes.md), except
# that a plan with changes is no failure.
#
#   rolecall.sh check            the files alone, offline; and with BEFORE what is declared differently. For forks too
#   rolecall.sh plan             what would change; keeps the plan in OUT/plan.json. In the pull request
#   rolecall.sh apply PLAN       exactly that plan, or a part of it, or nothing. On merge
#   rolecall.sh scheduled        time windows, and what was changed by hand: applies, or with ROLECALL_SCHEDULE=report
#                                only reports, and then ends with 2 when something is due
#
# PYLON_API_TOKEN  the token, for all but check
# CONFIG           the root file (users.toml)
# BEFORE           the root file before the change, from another checkout
# OUT              where reports and the plan go (rolecall-out): report.md, compare.md, plan.json, journal-….jsonl
#
# Run apply and scheduled one at a time: most systems call it a lock, a concurrency group or a resource group.
set -eu

config=${CONFIG:-users.toml}
out=${OUT:-rolecall-out}
umask 077 # the reports name people
mkdir -p "$out"
rm -f "$out/report.md" "$out/compare.md"

run() {
    verb=$1
    shift
    rolecall "$verb" --config "$config" --report "markdown=$out/report.md" "$@"
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
        run apply --auto-approve --journal "$out/journal-$(date -u +%Y%m%dT%H%M%SZ)-$$.jsonl" "$2"
        ;;
    scheduled)
        if [ "${ROLECALL_SCHEDULE:-apply}" = report ]; then
            run plan --blame --detailed-exitcode
        else
            run apply --auto-approve --journal "$out/journal-$(date -u +%Y%m%dT%H%M%SZ)-$$.jsonl"
        fi
        ;;
    *)
        echo "Usage: rolecall.sh check | plan | apply PLAN | scheduled" >&2
        exit 64
        ;;
esac
