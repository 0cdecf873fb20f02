/** The checkers of all rules, one module each, for one world. */
import type { Checker } from "./Checker.ts"
import * as ConfirmedStops from "./checkers/ConfirmedStops.ts"
import * as FitStarts from "./checkers/FitStarts.ts"
import * as HonestCounters from "./checkers/HonestCounters.ts"
import * as Isolation from "./checkers/Isolation.ts"
import * as LateEvents from "./checkers/LateEvents.ts"
import * as LimitsHold from "./checkers/LimitsHold.ts"
import * as NoIdleSlots from "./checkers/NoIdleSlots.ts"
import * as OneLiveRun from "./checkers/OneLiveRun.ts"
import * as Rest from "./checkers/Rest.ts"
import * as Restarts from "./checkers/Restarts.ts"
import * as RetryTiming from "./checkers/RetryTiming.ts"
import * as SafeRemoval from "./checkers/SafeRemoval.ts"
import * as Secrets from "./checkers/Secrets.ts"
import * as SlotLimits from "./checkers/SlotLimits.ts"
import * as TrueSnapshots from "./checkers/TrueSnapshots.ts"

/** In the order of their rules. */
export const make = (): ReadonlyArray<Checker> => [
  OneLiveRun.make(),
  SlotLimits.make(),
  FitStarts.make(),
  NoIdleSlots.make(),
  Isolation.make(),
  SafeRemoval.make(),
  ConfirmedStops.make(),
  RetryTiming.make(),
  HonestCounters.make(),
  LimitsHold.make(),
  LateEvents.make(),
  TrueSnapshots.make(),
  Restarts.make(),
  Secrets.make(),
  Rest.make()
]
