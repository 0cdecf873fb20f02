/** What the world itself saw that must never happen, whatever anybody ordered. */
import type { IssueId } from "../../domain/Ids.ts"
import type { Report } from "./Checker.ts"

export interface Accident {
  readonly kind: "crowded" | "removed" | "unkept" | "left" | "told"
  readonly text: string
  readonly issueId: IssueId | null
}

export const reportAccidents = (
  { accidents }: { readonly accidents: ReadonlyArray<Accident> },
  kind: Accident["kind"],
  report: Report
): void => {
  for (const accident of accidents) {
    if (accident.kind !== kind) continue
    if (accident.issueId === null) report(accident.text)
    else report(accident.text, accident.issueId)
  }
}
