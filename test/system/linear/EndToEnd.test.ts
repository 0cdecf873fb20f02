import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Board from "./Board.ts"
import * as Fitness from "./Fitness.ts"
import * as Ledger from "./Ledger.ts"
import * as ToolAgents from "./ToolAgents.ts"
import type { Rule } from "./Witness.ts"
import * as World from "./World.ts"

/** Another one is another story; this one is told by default. */
const seed = Number(process.env["OPENSYMPHONY_SEED"] ?? 4711)
const speed = 90
const deeds = 130
const marker = "## Agent Harness Workpad"

/**
 * Sixty issues over two teams, ten slots, three quarters of an hour: people at the board, two storms of the rate limit, ten
 * minutes without Linear, three in which changes are made and their answers lost. Then the weather clears, people take back what they meant to, and all has to
 * come to rest.
 */
describe(`sixty issues on Linear, seed ${seed}`, () => {
  let world: World.Ended
  let root: string

  beforeAll(async () => {
    root = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "opensymphony-linear-")))
    world = await Effect.runPromise(World.run({ seed, speed, deeds, root }))
    const minutes = Math.round(world.virtualMs / 60_000)
    process.stderr.write(`Linear, seed ${seed}, requests in ${minutes} minutes:\n${Ledger.table(world.lines)}\n`)
    return () => Fs.rmSync(root, { recursive: true, force: true })
  }, 300_000)

  const never = (rule: Rule) => assert.deepStrictEqual(world.witness.violations.get(rule) ?? [], [])
  const kept = () => [...world.turns.keys()].filter((id) => !world.people.givenUp.has(id))
  const commentsOf = (id: string) => world.comments.get(id) ?? []
  const workpadsOf = (id: string) => commentsOf(id).filter((body) => body.startsWith(marker))

  it("comes to rest when the trouble is over", () => {
    const { claimed, held, running, stopping } = world.snapshot.counts
    assert.isTrue(world.rested, world.log.slice(-40).join("\n"))
    assert.deepStrictEqual([claimed, held, running, stopping], [0, 0, 0, 0])
    assert.deepStrictEqual([world.snapshot.gates, world.witness.live()], [[], []])
  })

  it("saw what it was made for", () => {
    const { extremes, stops, workspaces } = world.witness
    const { deeds, givenUp } = world.people
    assert.strictEqual(extremes().agents, World.slots)
    assert.strictEqual(deeds.size, 10)
    for (const [kind, { live }] of deeds) {
      if (kind !== "delete for good") assert.isAbove(live, 0, `nobody came to ${kind} an issue with an agent on it`)
    }
    assert.isAbove(givenUp.size, 5)
    for (const reason of [/archived/, /trash/, /in the project Elsewhere/, /lacks the required label/]) {
      assert.isTrue(
        stops.some((stop) => reason.test(stop)),
        `${reason} in ${stops.join("; ")}`
      )
    }
    assert.deepStrictEqual(
      world.weather.spells.map(({ name }) => name),
      ["lost answers", "spent budget", "outage", "refusals"]
    )
    for (const { agents, name } of world.weather.spells) assert.isAbove(agents, 4, name)
    const renamed = [...workspaces.values()].filter((had) => new Set(had.map(({ identifier }) => identifier)).size > 1)
    assert.isAbove(renamed.length, 0, "no issue had runs in both teams")
  })

  it("never has two agents for one issue", () => never("two agents for one issue"))
  it("never has two agents in one workspace", () => never("two agents in one workspace"))
  it("never has more agents than slots", () => never("more agents than slots"))
  it("starts nothing that has been unfit for longer than a poll", () => never("a start of what was unfit"))
  it("stops agents whose issue was archived, deleted or taken away", () => never("an agent that was not stopped"))
  it("leaves no slot idle beside an issue that could run", () => never("a slot left idle"))
  it("keeps the workspace of an issue that changes its team", () => never("a workspace that changed"))
  it("fails no run because of weather", () => never("a run that failed"))
  it("counts no failure because of weather", () => never("a failure that counts"))
  it("holds no issue because of weather", () => never("a hold"))

  it("gets every issue done that was not given up", () => {
    const states = new Map(world.board.map(({ id, identifier, state }) => [id, `${identifier} ${state}`]))
    assert.deepStrictEqual(
      kept().flatMap((id) => (states.get(id)?.endsWith(" Done") ? [] : [states.get(id)])),
      []
    )
    assert.isAbove(kept().length, Board.size - 10)
  })

  it("moves every issue to Done once", () => {
    assert.deepStrictEqual(
      kept().filter((id) => world.witness.completions.get(id) !== 1),
      []
    )
  })

  it("leaves one workpad on every issue, with every note once", () => {
    for (const id of kept()) {
      const turns = world.turns.get(id) ?? 0
      const notes = workpadsOf(id).map(ToolAgents.notesIn)
      assert.deepStrictEqual(notes, [Array.from({ length: turns }, (_, index) => index + 1)])
    }
  })

  it("leaves one closing comment on every issue, and nothing else", () => {
    for (const id of kept()) {
      const others = commentsOf(id).filter((body) => !body.startsWith(marker))
      assert.deepStrictEqual(others, [ToolAgents.closingWords])
    }
  })

  it("repeats what was carried out and whose answer got lost", () => {
    const lost = world.linear.requests().filter(({ fault }) => fault === "lostAnswer")
    const operations = new Set(lost.map(({ operation }) => operation))
    for (const operation of ["ToolCreateComment", "ToolMove"]) assert.isTrue(operations.has(operation), operation)
    const again = world.linear
      .requests()
      .filter(({ errors, operation }) => operation === "ToolCreateComment" && errors.length > 0)
    assert.isAbove(again.length, 0)
  })

  it("asks in vain for ten minutes of outage", () => {
    const [outage] = world.weather.spells.filter(({ name }) => name === "outage")
    const asked = world.linear
      .requests()
      .filter(({ at }) => outage !== undefined && at > outage.fromMs + 1_000 && at < outage.untilMs - 1_000)
    assert.isAbove(asked.length, 20)
    assert.deepStrictEqual(
      asked.filter(({ fault }) => fault === null),
      []
    )
  })

  it("leaves no workspace of a finished issue", () => {
    const left = Fs.readdirSync(root).filter((name) => !name.startsWith("."))
    const unfinished = new Set(
      [...world.people.givenUp.keys()].flatMap(
        (id) => world.witness.workspaces.get(id)?.map(({ path }) => Path.basename(path)) ?? []
      )
    )
    assert.deepStrictEqual(
      left.filter((name) => !unfinished.has(name)),
      []
    )
  })

  it("asks no more often than there is reason to", () => {
    for (const { answered, bound, failed, what } of world.lines) {
      assert.isAtMost(answered, bound, what)
      assert.isAbove(answered, 0, what)
      if (what !== "calls of tools") assert.isAtMost(answered + failed, Ledger.mostTries * bound, what)
    }
    const counted = world.lines.reduce((sum, { answered, failed }) => sum + answered + failed, 0)
    assert.strictEqual(counted, world.linear.counters().requests)
  })

  it("asks Linear nothing that the fake does not know", () => {
    assert.deepStrictEqual(world.linear.unimplemented(), [])
  })

  it("keeps the key from agents, workspaces and logs", () => {
    const { apiKey } = world.linear
    assert.isAbove(world.agents.seen.length, 500)
    assert.isTrue(
      world.agents.seen.some((text) => text.includes('"token"')),
      "no endpoint file was read"
    )
    assert.isFalse(world.agents.seen.some((text) => text.includes(apiKey)))
    assert.isFalse(world.log.some((line) => line.includes(apiKey)))
    assert.isFalse(world.log.length < 500)
  })

  it("leaves those alone that people gave up", () => {
    for (const [id, deed] of world.people.givenUp) {
      const issue = world.board.find((one) => one.id === id)
      assert.isNotNull(Fitness.reasonToStop(issue, world.project), deed)
      const view = world.snapshot.issues.find((one) => one.id === id)
      assert.isTrue(view === undefined || view.run === null, deed)
    }
  })
})
