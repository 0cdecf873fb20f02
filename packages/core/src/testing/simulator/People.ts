/**
 * The people of a simulated world: those who write and move issues, the operator who pauses, holds and releases, and
 * whoever edits the limits in WORKFLOW.md. They stand still in the calm phase.
 */
import * as HashMap from "effect/HashMap"
import type { IssueId } from "../../domain/Ids.ts"
import { stateKey } from "../../domain/Issue.ts"
import type { Policy } from "../../domain/Policy.ts"
import type { State } from "../../scheduler/State.ts"
import type { Board, Item } from "./Board.ts"
import * as Policies from "./Policies.ts"
import type { Prng } from "./Prng.ts"
import type { Stage } from "./Stage.ts"
import type { Truth } from "./Truth.ts"

/** Stands in every description. It is nobody's business but the agent's, so no log and no view may show it. */
export const privateText = "correct-horse-battery"

export interface PeopleOptions {
  readonly stage: Stage
  readonly truth: Truth
  readonly board: Board
  readonly random: Prng
  /** What the operator's screen shows. */
  readonly view: () => State
  readonly setPolicy: (policy: Policy) => void
}

const states = ["Todo", "Todo", "In Progress", " in progress", "Backlog", "Review", "Done", "Cancelled"]
const labels = ["agent", "bug", "urgent"]
const fewestOpen = 2
const second = 1_000

export const start = ({ board, random, setPolicy, stage, truth, view }: PeopleOptions): void => {
  const { issues, people } = stage.profile
  let edits = 0

  const anyItem = (): Item | undefined => {
    const all = [...board.items.values()]
    return all.length === 0 ? undefined : random.pick(all)
  }
  const someLabels = (): ReadonlyArray<string> => labels.filter(() => random.chance(0.6))
  const priority = (): Item["priority"] => random.pick([null, 1, 2, 3, 4])

  /** What was just written is noticed at once, and changed before everybody has acted on it. */
  const haveSecondThoughts = (change: () => void): void => {
    stage.send({ _tag: "PollRequested" }, random.int(1, second))
    stage.plan(random.scale(second, 60 * second), () => {
      if (stage.isCalm()) return
      change()
      stage.send({ _tag: "PollRequested" }, random.int(1, second))
    })
  }

  const create = (): void => {
    const parent = random.chance(0.15) ? anyItem() : undefined
    const blocker = random.chance(0.15) ? anyItem() : undefined
    const item = board.add({
      priority: priority(),
      state: random.chance(0.75) ? "Todo" : random.pick(states),
      labels: someLabels(),
      description: `${privateText} ${edits++}`,
      parentId: parent?.id ?? null
    })
    if (blocker === undefined) return
    const block = () => board.edit(item.id, { blockedBy: [blocker.id] })
    if (random.chance(0.5)) block()
    else haveSecondThoughts(block)
  }

  const moveAndTakeBack = ({ id, state }: Item): void => {
    board.edit(id, { state: random.pick(states) })
    if (random.chance(0.5)) haveSecondThoughts(() => board.edit(id, { state }))
  }

  const editItem = (item: Item): void => {
    const { id } = item
    const other = anyItem() ?? item
    const actions: ReadonlyArray<() => void> = [
      () => board.edit(id, { state: random.pick(states) }),
      () => moveAndTakeBack(item),
      () => board.edit(id, { title: `Renamed ${edits++}` }),
      () => board.edit(id, { description: `${privateText} ${edits++}` }),
      () => board.edit(id, { labels: someLabels() }),
      () => board.edit(id, { priority: priority() }),
      () => board.edit(id, { assigneeId: random.pick([null, "ann", "bob"]) }),
      () => board.edit(id, { dispatchable: random.chance(0.7) }),
      () => board.edit(id, { blockedBy: other.id === id ? [] : [...item.blockedBy, other.id] }),
      () => board.edit(id, { blockedBy: [] }),
      () => board.edit(id, { parentId: other.id === id ? null : other.id }),
      () => board.edit(id, { parentId: null }),
      () => board.edit(id, {}),
      () => board.remove(id)
    ]
    random.pick(actions)()
  }

  const openCount = (): number => {
    let count = 0
    for (const item of board.items.values()) {
      if (stage.policy().activeStates.includes(stateKey(item.state))) count++
    }
    return count
  }

  const edit = (): void => {
    const item = anyItem()
    if (item === undefined || openCount() < fewestOpen || random.chance(0.25)) return create()
    editItem(item)
    if (random.chance(0.2)) stage.send({ _tag: "PollRequested" }, random.int(1, 1_000))
  }

  /** An operator makes sure that an agent has ended before the issue is released. */
  const release = (issueId: IssueId): void => {
    for (const body of truth.aliveOf(issueId)) {
      const found = HashMap.get(view().issues, issueId)
      const hold = found._tag === "Some" ? found.value.hold : null
      if (hold?._tag === "StopUnconfirmed" && hold.runId === body.runId) truth.end(body)
    }
    stage.send({ _tag: "ReleaseRequested", issueId })
  }

  const operate = (): void => {
    if (!stage.isUp()) return
    const known = [...HashMap.keys(view().issues)].sort()
    const held = [...view().held].sort()
    const actions: Array<() => void> = [
      () => stage.send({ _tag: "PauseRequested", reason: random.chance(0.5) ? "" : "lunch" }),
      () => stage.send({ _tag: "ResumeRequested" }),
      () => stage.send({ _tag: "ResumeRequested" }),
      () => stage.send({ _tag: "PollRequested" }),
      () => stage.send({ _tag: "ConfigurationJudged", problem: "the file is broken", closesGate: random.chance(0.3) }),
      () => stage.send({ _tag: "ConfigurationJudged", problem: null, closesGate: false }),
      () => stage.send({ _tag: "ConfigurationJudged", problem: null, closesGate: false })
    ]
    if (known.length > 0) {
      actions.push(
        () => stage.send({ _tag: "HoldRequested", issueId: random.pick(known), note: "wait" }),
        () => release(random.pick(known))
      )
    }
    if (held.length > 0) {
      actions.push(
        () => release(random.pick(held)),
        () => release(random.pick(held)),
        () => release(random.pick(held))
      )
    }
    random.pick(actions)()
  }

  for (let index = 0; index < issues; index++) create()
  stage.untilCalm(random, people.everyMs, edit)
  stage.untilCalm(random, people.operatorEveryMs, operate)
  stage.untilCalm(random, people.policyEveryMs, () => setPolicy(Policies.edited(stage.policy(), random)))
}
