/**
 * Rule 14: no secret in a log, an error or a snapshot. Credentials never enter a pure world, nor may they enter the
 * scheduler: the errors that adapters hand over are free of them by contract. What can be seen here is that text which
 * is nobody's business (the description of an issue, where people do paste passwords) goes to the agent alone: into
 * commands, but into no record, and so into no log, and into no view.
 */
import * as Snapshot from "../../../scheduler/Snapshot.ts"
import { reportAccidents } from "../Accident.ts"
import type { Checker } from "../Checker.ts"
import { privateText } from "../People.ts"

const everySteps = 512

/** Written out by the engine and searched at once: faster than to walk through the data. */
const mentions = (data: unknown, text: string): boolean => JSON.stringify(data).includes(text)

export const make = (): Checker => {
  let steps = 0
  return {
    rule: 14,
    name: "Secrets",
    onRecord: (_, record, report) => {
      if (mentions(record, privateText)) report(`${record._tag} tells what only the agent should know`)
    },
    onStep: ({ after, at, truth }, report) => {
      reportAccidents(truth, "told", report)
      if (++steps % everySteps !== 0) return
      if (mentions(Snapshot.make(after, at), privateText)) {
        report("a snapshot tells what only the agent should know")
      }
    }
  }
}
