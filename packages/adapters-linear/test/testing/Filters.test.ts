import { assert, describe, it } from "@effect/vitest"
import type { FakeLinear } from "../../src/testing/index.ts"
import { failure, identifiers, on } from "./Client.ts"

/** Four issues over two teams, that differ in everything that can be filtered by. */
function populate(linear: FakeLinear.FakeLinear) {
  linear.createUser({ name: "Robot", app: true })
  linear.createUser({ name: "Grace Hopper" })
  const other = linear.createProject({ name: "Other", slugId: "0123456789ab" })
  linear.createIssue({
    title: "Café au lait",
    state: "Todo",
    project: linear.project.id,
    assignee: "ada-lovelace",
    labels: ["Bug", "ui"],
    priority: 1,
    createdAt: Date.parse("2025-01-01T00:00:00Z")
  })
  linear.createIssue({
    title: "Second",
    team: "OPS",
    state: "In Progress",
    project: other.id,
    delegate: "robot",
    labels: ["ui"],
    priority: 3,
    createdAt: Date.parse("2025-02-01T00:00:00Z")
  })
  linear.createIssue({
    title: "Third",
    state: "Done",
    assignee: "grace-hopper",
    parent: "ENG-1",
    createdAt: Date.parse("2025-03-01T00:00:00Z")
  })
  linear.createIssue({ title: "Fourth", state: "Backlog", createdAt: Date.parse("2025-04-01T00:00:00Z") })
  return { other, ids: Object.fromEntries(linear.issues().map((issue) => [issue.identifier, issue.id])) }
}

const teams = { teams: [{ key: "ENG" }, { key: "OPS" }] }

type Case = readonly [
  name: string,
  filter: (linear: FakeLinear.FakeLinear, board: ReturnType<typeof populate>) => object,
  found: ReadonlyArray<string>
]

const cases: ReadonlyArray<Case> = [
  ["ids, absent ones simply missing", (_, { ids }) => ({ id: { in: [ids["ENG-1"], crypto.randomUUID()] } }), ["ENG-1"]],
  ["identifiers instead of ids", () => ({ id: { in: ["eng-1", "OPS-1"] } }), ["OPS-1", "ENG-1"]],
  ["a project's id", (linear) => ({ project: { id: { eq: linear.project.id } } }), ["ENG-1"]],
  ["a project's slug id", () => ({ project: { slugId: { eq: "0123456789ab" } } }), ["OPS-1"]],
  ["no project", () => ({ project: { null: true } }), ["ENG-3", "ENG-2"]],
  ["names of states", () => ({ state: { name: { in: ["Todo", "In Progress"] } } }), ["OPS-1", "ENG-1"]],
  ["names of states, in their spelling only", () => ({ state: { name: { in: ["todo"] } } }), []],
  ["a name of a state in any case", () => ({ state: { name: { eqIgnoreCase: "tODO" } } }), ["ENG-1"]],
  ["types of states", () => ({ state: { type: { nin: ["completed", "backlog"] } } }), ["OPS-1", "ENG-1"]],
  ["a team's key", () => ({ team: { key: { eq: "OPS" } } }), ["OPS-1"]],
  ["who asks, as assignee", () => ({ assignee: { isMe: { eq: true } } }), ["ENG-1"]],
  ["nobody, as assignee", () => ({ assignee: { null: true } }), ["ENG-3", "OPS-1"]],
  ["an e-mail address", () => ({ assignee: { email: { eq: "grace-hopper@example.com" } } }), ["ENG-2"]],
  [
    "another assignee, which nobody is not",
    () => ({ assignee: { email: { neq: "grace-hopper@example.com" } } }),
    ["ENG-1"]
  ],
  [
    "assignees outside of a list, which nobody is",
    () => ({ assignee: { email: { nin: ["grace-hopper@example.com"] } } }),
    ["ENG-3", "OPS-1", "ENG-1"]
  ],
  ["a delegate", () => ({ delegate: { app: { eq: true } } }), ["OPS-1"]],
  ["some label", () => ({ labels: { some: { name: { eq: "ui" } } } }), ["OPS-1", "ENG-1"]],
  ["every label", () => ({ labels: { every: { name: { eq: "ui" } }, length: { gt: 0 } } }), ["OPS-1"]],
  [
    "two labels at once",
    () => ({ and: [{ labels: { name: { eq: "ui" } } }, { labels: { name: { eqIgnoreCase: "bug" } } }] }),
    ["ENG-1"]
  ],
  ["a number in a team", () => ({ number: { eq: 1 }, team: { key: { eq: "ENG" } } }), ["ENG-1"]],
  ["numbers", () => ({ number: { gte: 2, lt: 4 } }), ["ENG-3", "ENG-2"]],
  ["a priority", () => ({ priority: { in: [1, 3] } }), ["OPS-1", "ENG-1"]],
  ["a date", () => ({ createdAt: { gte: "2025-02-01", lt: "2025-04-01T00:00:00.000Z" } }), ["ENG-2", "OPS-1"]],
  ["a duration until now", () => ({ createdAt: { lt: "-P1D" } }), ["ENG-3", "ENG-2", "OPS-1", "ENG-1"]],
  ["a text without its accents", () => ({ title: { containsIgnoreCaseAndAccent: "CAFE" } }), ["ENG-1"]],
  ["a parent", () => ({ parent: { number: { eq: 1 } } }), ["ENG-2"]],
  ["one of two", () => ({ or: [{ title: { eq: "Second" } }, { title: { startsWith: "Fou" } }] }), ["ENG-3", "OPS-1"]],
  ["nothing", () => ({}), ["ENG-3", "ENG-2", "OPS-1", "ENG-1"]]
]

describe("filters of the fake Linear", () => {
  it.each(cases)("know %s", (_, filter, found) =>
    on(async (linear) => {
      const board = populate(linear)
      assert.deepStrictEqual(await identifiers(linear, filter(linear, board)), found)
    }, teams)
  )

  it("know whether an issue is blocked, whatever became of the blocker", () =>
    on(async (linear) => {
      populate(linear)
      linear.setBlockedBy("ENG-3", ["ENG-2"])
      assert.deepStrictEqual(await identifiers(linear, { hasBlockedByRelations: { eq: true } }), ["ENG-3"])
    }, teams))

  it("order by the last change when asked", () =>
    on(async (linear) => {
      populate(linear)
      linear.moveIssue("ENG-1", "In Progress")
      const [latest] = await identifiers(linear, {}, { orderBy: "updatedAt" })
      assert.strictEqual(latest, "ENG-1")
    }, teams))

  it("fail the whole query for a malformed id, with status 200", () =>
    on(async (linear) => {
      const { ids } = populate(linear)
      const failed = await failure(linear, "query A($f: IssueFilter) { issues(filter: $f) { nodes { id } } }", {
        f: { id: { in: [ids["ENG-1"], "not an id"] } }
      })
      assert.deepInclude(failed, { status: 200, code: "INVALID_INPUT" })
    }, teams))

  const unknown = { title: { eq: "nowhere" }, slaStatus: { eq: "Breached" } }
  const nested = { children: { some: { slaStatus: { eq: "Breached" } } } }

  it.each<[string, (linear: FakeLinear.FakeLinear) => unknown, object]>([
    ["on an empty board", () => undefined, unknown],
    ["behind a key that decides", populate, unknown],
    ["about what is in an empty collection", () => undefined, nested]
  ])("refuse loudly what they do not know, also %s", async (_, prepare, filter) => {
    const asked: Array<string> = []
    let answered: string | undefined
    await on(async (linear) => {
      prepare(linear)
      const failed = await failure(linear, "query A($f: IssueFilter) { issues(filter: $f) { nodes { id } } }", {
        f: filter
      })
      answered = `${failed.status} ${failed.code}`
      asked.push(...linear.unimplemented())
    }, teams).catch((error: unknown) => asked.push(String(error)))
    assert.strictEqual(answered, "500 FAKE_UNIMPLEMENTED")
    assert.deepStrictEqual(asked, [
      "the filter IssueFilter.slaStatus",
      "Error: asked for what the fake does not implement: the filter IssueFilter.slaStatus"
    ])
  })
})
