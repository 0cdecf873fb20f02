/**
 * Rule 3: no run starts for an issue that is terminal, blocked, held or otherwise unfit, nor behind a closed gate, as
 * far as known. The same is judged once more before the agent is launched.
 */
import type { IssueId, RunId } from "../../../domain/Ids.ts"
import type { Checker, Moment, Report } from "../Checker.ts"

/** An issue that was not read within this many milliseconds has to be read before it starts. */
const freshMs = 5_000

const checkFitness = (moment: Moment, issueId: IssueId, runId: RunId, report: Report): void => {
  const { after, books } = moment
  if (books.facts.verdict(issueId, after.policy) === "unfit")
    report(`${runId} starts although its issue is unfit`, issueId)
  const hold = books.issues.pages.get(issueId)?.hold ?? null
  if (hold !== null) report(`${runId} starts although its issue is held (${hold._tag})`, issueId)
}

const checkGates = ({ after, at, books }: Moment, issueId: IssueId, runId: RunId, report: Report): void => {
  for (const gate of books.gates.certainlyClosed(at, after.policy)) {
    const isTrial = gate === "runtime_failing" && books.gates.trial() === runId
    if (!isTrial) report(`${runId} starts behind the gate ${gate}`, issueId)
  }
}

const checkFreshness = ({ at, books, event }: Moment, issueId: IssueId, runId: RunId, report: Report): void => {
  const fact = books.facts.known.get(issueId)
  const isAnswer = event._tag === "IssuesRead" || event._tag === "CandidatesPolled"
  const isFresh = fact !== undefined && (at.now - fact.readAt < freshMs || (isAnswer && fact.readAt >= event.startedAt))
  if (!isFresh) report(`${runId} starts on a read that is old`, issueId)
}

export const make = (): Checker => ({
  rule: 3,
  name: "FitStarts",
  onRecord: (moment, record, report) => {
    if (record._tag !== "RunClaimed") return
    const { issueId, runId } = record
    const { gates } = moment.books
    checkFitness(moment, issueId, runId, report)
    checkGates(moment, issueId, runId, report)
    checkFreshness(moment, issueId, runId, report)
    const trial = gates.isFailing() ? gates.trial() : null
    if (trial !== null) report(`${runId} starts beside the trial ${trial}`, issueId)
  },
  onCommand: (moment, command, report) => {
    if (command._tag !== "LaunchRun") return
    const { issue, runId } = command.run
    checkFitness(moment, issue.id, runId, report)
    checkGates(moment, issue.id, runId, report)
  }
})
