/** Whether a step had anything to do beside its event: whatever comes first when something is due does that too. */
import type { Moment } from "./Checker.ts"

export const isSomethingDue = ({ at, before }: Pick<Moment, "at" | "before">): boolean =>
  before.wakeAt !== null && at.now >= before.wakeAt
