import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { FakeLinear } from "../../src/testing/index.ts"
import { identifiers, on, send } from "./Client.ts"

describe("the control of the fake Linear", () => {
  it("does over HTTP what the handle does", () =>
    on(async (linear) => {
      const remote = FakeLinear.connect(linear.origin)
      const { id } = await remote.createIssue({ title: "From afar", state: "Todo", labels: ["x"] })
      await remote.moveIssue(id, "In Progress")
      assert.deepInclude(linear.issue(id), { identifier: "ENG-1", state: "In Progress", labels: ["x"] })
      await remote.addFault({ fault: { kind: "html" }, nth: 1 })
      await send(linear, "query Ping { viewer { id } }").catch(() => undefined)
      const [request] = await remote.requests()
      assert.deepInclude(request, { operation: "Ping", type: "query", status: 502, fault: "html" })
      assert.deepStrictEqual(await remote.counters(), linear.counters())
      await remote.deleteIssue(id)
      assert.deepStrictEqual(await remote.issues(), [])
    }))

  it("says what it does not find", () =>
    on(async (linear) => {
      const remote = FakeLinear.connect(linear.origin)
      linear.createIssue({ title: "One" })
      const reason = (call: Promise<unknown>) => call.then(String, (error: unknown) => String(error))
      assert.match(await reason(remote.moveIssue("ENG-1", "Nirvana")), /no state in the team ENG "Nirvana"/)
      assert.match(await reason(remote.issue("ENG-9")), /no issue "ENG-9"/)
      const response = await fetch(`${linear.origin}/control/explode`, { method: "POST" })
      assert.strictEqual(response.status, 400)
      assert.match(await response.text(), /no control call \\"explode\\".*createIssue/)
    }))

  it("plays what people do between two polls", () =>
    on(
      async (linear) => {
        linear.createProject({ name: "Other", slugId: "abcdefabcdef" })
        linear.createIssues([1, 2, 3, 4].map((at) => ({ title: `Issue ${at}`, project: linear.project.id })))
        const inProject = { project: { id: { eq: linear.project.id } } }
        linear.moveToProject("ENG-1", "abcdefabcdef")
        linear.moveToTeam("ENG-2", "OPS")
        linear.archiveIssue("ENG-3")
        assert.deepStrictEqual(await identifiers(linear, inProject), ["ENG-4", "OPS-1"])
        linear.unarchiveIssue("ENG-3")
        linear.setBlockedBy("ENG-4", ["ENG-3", "OPS-1"])
        linear.setBlockedBy("ENG-4", ["ENG-3"])
        assert.deepStrictEqual(linear.issue("ENG-4").blockedBy, ["ENG-3"])
        linear.setParent("ENG-3", "ENG-4")
        linear.deleteIssue("ENG-4")
        assert.isNull(linear.issue("ENG-3").parent)
        linear.deleteProject(linear.project.id)
        assert.isNull(linear.issue("ENG-3").project)
      },
      { teams: [{ key: "ENG" }, { key: "OPS" }] }
    ))

  it("leaves behind what another team does not have", () =>
    on(
      async (linear) => {
        linear.createProject({ name: "Of ENG alone", slugId: "abcdefabcdef", teams: ["ENG"] })
        linear.createLabel("of ENG", "ENG")
        const labels = ["of ENG", "of all"]
        linear.createIssue({ title: "Mover", team: "ENG", state: "In Review", labels, project: "abcdefabcdef" })
        assert.deepStrictEqual(linear.issue("ENG-1").labels, labels)
        assert.deepInclude(linear.moveToTeam("ENG-1", "OPS"), { state: "Todo", project: null, labels: ["of all"] })
      },
      { teams: [{ key: "ENG" }, { key: "OPS", states: [{ name: "Todo", type: "unstarted" }] }] }
    ))

  it("logs who asked what, for which purpose, and at what cost", () =>
    on(async (linear) => {
      await fetch(linear.url, {
        method: "POST",
        headers: { authorization: linear.apiKey, "x-opensymphony-purpose": "candidates" },
        body: JSON.stringify({ query: "query Me { viewer { id } }", variables: { unused: 1 } })
      })
      assert.deepInclude(linear.requests()[0], {
        operation: "Me",
        purpose: "candidates",
        variables: { unused: 1 },
        status: 200,
        complexity: { documented: 2, observed: 2 },
        errors: []
      })
      linear.clearRequests()
      assert.deepStrictEqual(linear.requests(), [])
    }))

  it("notes that a client went away", () =>
    on(async (linear) => {
      linear.addFault({ fault: { kind: "hangBeforeHeaders" } })
      const controller = new AbortController()
      const request = fetch(linear.url, {
        method: "POST",
        headers: { authorization: linear.apiKey },
        body: JSON.stringify({ query: "{ viewer { id } }" }),
        signal: controller.signal
      }).catch(() => undefined)
      while (linear.requests().length === 0) await new Promise((resolve) => setImmediate(resolve))
      controller.abort()
      await request
      while (linear.requests()[0]?.abandoned !== true) await new Promise((resolve) => setImmediate(resolve))
    }))
})

describe("the fake Linear as an Effect", () => {
  it.effect("takes its now from the Clock, and is gone with its scope", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const origin = yield* Effect.scoped(
        Effect.gen(function* () {
          const linear = yield* FakeLinear.make()
          assert.strictEqual(linear.createIssue({ title: "Now" }).createdAt, 1_700_000_000_000)
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(linear.createIssue({ title: "Later" }).createdAt, 1_700_000_060_000)
          return linear.origin
        })
      )
      const refused = yield* Effect.promise(() =>
        fetch(origin).then(
          () => false,
          () => true
        )
      )
      assert.isTrue(refused)
    })
  )
})
