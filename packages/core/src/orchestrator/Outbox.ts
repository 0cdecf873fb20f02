/**
 * What a decision leads to, in its order: records are kept before the commands of the same step start.
 *
 * While the store fails nothing starts, since what starts must not be forgotten; everything else goes on, so that a
 * full disk delays no stop and no timer. The records of that time wait here and are offered again every second. Past a
 * bound only the newest projections among them stay, which is all that a restart needs.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type { RunStoreService, StampedRecord } from "../ports/RunStore.ts"
import type { Command } from "../scheduler/Command.ts"
import { instant } from "./Instants.ts"

/** Steps that wait here; when this many do, the loop that decides waits too. */
const capacity = 1_024
const appendTimeoutMs = 5_000
const retryMs = 1_000
const unkeptLimit = 8_192

/** What one step asked for. */
export interface StepOutput {
  readonly records: ReadonlyArray<StampedRecord>
  readonly commands: ReadonlyArray<Command>
}

/** What waits: a step's output, or somebody who wants to know when all before is done. */
interface Waiting extends StepOutput {
  readonly waiter?: Deferred.Deferred<void>
}

export interface Outbox {
  readonly offer: (output: StepOutput) => Effect.Effect<void>
  /** Carries out what waits; to be run again and again. */
  readonly carryOut: Effect.Effect<void>
  /** Waits until everything that was offered before was carried out. */
  readonly settled: Effect.Effect<void>
}

export interface OutboxOptions {
  readonly store: RunStoreService
  /** Starts a command and returns at once. */
  readonly start: (command: Command) => Effect.Effect<void>
  /** Gets every record once, in order. */
  readonly tell: (record: StampedRecord) => Effect.Effect<void>
}

const starts = (command: Command): boolean => command._tag === "PrepareWorkspace" || command._tag === "LaunchRun"

/** Whether this command makes one that was put off pointless. */
const revokes = (command: Command, putOff: Command): boolean =>
  (command._tag === "CancelPreparation" || command._tag === "StopRun") &&
  (putOff._tag === "PrepareWorkspace" || putOff._tag === "LaunchRun") &&
  putOff.run.runId === command.runId

const shorten = (records: ReadonlyArray<StampedRecord>): ReadonlyArray<StampedRecord> => {
  if (records.length <= unkeptLimit) return records
  const newest = new Map<string, StampedRecord>()
  for (const stamped of records) {
    const { record } = stamped
    if (record._tag === "FleetSaved") newest.set("fleet", stamped)
    else if (record._tag === "IssueSaved") newest.set(`issue ${record.projection.issueId}`, stamped)
    else if (record._tag === "IssueDropped") newest.set(`issue ${record.issueId}`, stamped)
  }
  return [...newest.values()]
}

export const make = Effect.fnUntraced(function* (options: OutboxOptions): Effect.fn.Return<Outbox> {
  const { start, store, tell } = options
  const queue = yield* Queue.bounded<Waiting>(capacity)
  let unkept: ReadonlyArray<StampedRecord> = []
  let putOff: ReadonlyArray<Command> = []
  /** When to try again; null while the store works. */
  let retryAt: number | null = null

  const keep = Effect.gen(function* () {
    const { now } = yield* instant
    if (unkept.length === 0 || (retryAt !== null && now < retryAt)) return
    const exit = yield* Effect.exit(
      Effect.suspend(() => store.append(unkept)).pipe(Effect.timeoutOption(appendTimeoutMs))
    )
    if (Exit.isSuccess(exit) && Option.isSome(exit.value)) {
      if (retryAt !== null) yield* Effect.logInfo("the run store works again")
      unkept = []
      retryAt = null
      return
    }
    if (retryAt === null) {
      const error = Exit.isFailure(exit) ? Cause.prettyErrors(exit.cause)[0]?.message : "it does not answer"
      yield* Effect.logError(`the run store failed, nothing starts until it works again: ${error ?? "unknown"}`)
    }
    retryAt = (yield* instant).now + retryMs
  })

  const take = Effect.gen(function* () {
    if (retryAt === null) return yield* Queue.takeAll(queue)
    const { now } = yield* instant
    const taken = yield* Queue.takeAll(queue).pipe(Effect.timeoutOption(Math.max(0, retryAt - now)))
    return Option.getOrElse(taken, (): ReadonlyArray<Waiting> => [])
  })

  const startOrPutOff = (command: Command): Effect.Effect<void> => {
    if (starts(command)) {
      putOff = [...putOff, command]
      return Effect.void
    }
    putOff = putOff.filter((other) => !revokes(command, other))
    return start(command)
  }

  const carryOutAll = Effect.fnUntraced(function* (outputs: ReadonlyArray<StepOutput>) {
    const records = outputs.flatMap((output) => output.records)
    const asked = outputs.flatMap((output) => output.commands)
    unkept = shorten([...unkept, ...records])
    yield* keep
    yield* Effect.forEach(records, tell, { discard: true })
    if (retryAt !== null) return yield* Effect.forEach(asked, startOrPutOff, { discard: true })
    const waiting = putOff
    putOff = []
    yield* Effect.forEach([...waiting, ...asked], start, { discard: true })
  })

  /** Those who wait are told once everything taken with their request is done. */
  const carryOut = Effect.gen(function* () {
    const outputs = yield* take
    const told = outputs.flatMap(({ waiter }) => waiter ?? [])
    yield* Effect.ensuring(
      carryOutAll(outputs),
      Effect.forEach(told, (waiter) => Deferred.succeed(waiter, undefined), { discard: true })
    )
  })

  const settled = Effect.gen(function* () {
    const waiter = yield* Deferred.make<void>()
    yield* Queue.offer(queue, { records: [], commands: [], waiter })
    yield* Deferred.await(waiter)
  })

  return { offer: (output) => Effect.asVoid(Queue.offer(queue, output)), carryOut, settled }
})
