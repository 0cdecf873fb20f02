#!/bin/sh
# One turn of a small agent. It has no mind of its own: it makes a page of what the prompt asks for. Everything around that is
# what any command agent does, so put the call of a real one in the place of draft_page and finish_page:
#
#   - the prompt is on standard input, the workspace is the working directory, the issue is in the environment;
#   - what it prints is shown as activity; a line of JSON with the key "opensymphony" reports the session and the usage;
#   - exit 0 completes the turn, anything else fails it, and the last lines printed become the reason;
#   - it moves its own issue on when the work is done. An issue that stays where it is gets another turn.
set -eu

fail() {
  echo "agent: $*" >&2
  exit 1
}

[ -n "${OPENSYMPHONY_WORKSPACE:-}" ] || fail "started without OPENSYMPHONY_WORKSPACE; opensymphony starts it, see WORKFLOW.md"
command -v git >/dev/null || fail "git is not on PATH"
command -v opensymphony >/dev/null || fail "opensymphony is not on PATH, so the issue could not be moved on"

issue=$OPENSYMPHONY_ISSUE_IDENTIFIER
page=pages/${OPENSYMPHONY_WORKSPACE##*/}.md
# The first turn of a session names it; later turns get the name back, and with it only a short prompt to go on.
session=${OPENSYMPHONY_SESSION:-$(date +%s)-$$}
prompt=$(cat)
[ -n "$prompt" ] || fail "the prompt on standard input is empty"

draft_page() {
  task=$(printf '%s\n' "$prompt" | sed '1,/^## Task$/d')
  [ -n "$task" ] || fail "the prompt has no text below '## Task', and there is no draft in $page to go on with"
  mkdir -p pages
  printf '# %s\n\nStatus: draft\n%s\n' "$OPENSYMPHONY_ISSUE_TITLE" "$task" >"$page"
}

finish_page() {
  points=$(grep -c '^- ' "$page") || true
  sed 's/^Status: draft$/Status: final/' "$page" >"$page.new"
  printf '\n%s points, %s words.\n' "$points" "$(wc -w <"$page" | tr -d ' ')" >>"$page.new"
  mv "$page.new" "$page"
}

commit() {
  git add -- "$page"
  # A turn that is repeated after a crash may find its work committed.
  git diff --cached --quiet || git commit --quiet -m "$issue: $1"
  echo "$1 $page as $(git rev-parse --short HEAD)"
}

# Tokens are what a model counts; this agent counts words.
report() {
  printf '{"opensymphony": {"session": "%s", "usage": {"input_tokens": %d, "output_tokens": %d}, "summary": "%s"}}\n' \
    "$session" "$(printf '%s\n' "$prompt" | wc -w)" "$(wc -w <"$page")" "$1"
}

echo "turn ${OPENSYMPHONY_TURN:-1} on $issue: $OPENSYMPHONY_ISSUE_TITLE"
sleep 1 # so that a person can watch

# What there is decides what comes next, not the number of the turn: that also holds after a crash.
if ! [ -f "$page" ]; then
  draft_page
  case $prompt in
  *"Only draft the page in this turn"*)
    commit "drafted"
    report "drafted the page"
    exit 0
    ;;
  esac
fi
if grep -q '^Status: draft$' "$page"; then finish_page; fi
commit "finished"
report "finished the page"
# Where the orchestrator serves tools for this run, the issue is moved through them: no credential comes here. Otherwise the
# board is the folder of issue files.
if [ -n "${OPENSYMPHONY_MCP_URL:-}" ]; then
  opensymphony tool move_issue state=Done
else
  opensymphony issue move "$issue" Done
fi
