import { assert, describe, it } from "@effect/vitest"
import { failure, identifiers, on, send } from "./Client.ts"

const page = `query Page($filter: IssueFilter, $first: Int, $after: String, $includeArchived: Boolean) {
  issues(filter: $filter, first: $first, after: $after, includeArchived: $includeArchived) {
    nodes { identifier }
    pageInfo { hasNextPage endCursor }
  }
}`

interface Page {
  readonly issues: {
    readonly nodes: ReadonlyArray<{ readonly identifier: string }>
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
  }
}

describe("queries of the fake Linear", () => {
  it("answer with an issue and all that it refers to", () =>
    on(async (linear) => {
      linear.createUser({ name: "Robot", app: true })
      linear.createIssue({ title: "Blocker", state: "In Progress" })
      linear.createIssue({ title: "Parent" })
      const { id } = linear.createIssue({
        title: "The one",
        description: "Text",
        state: "Todo",
        priority: 2,
        project: linear.project.slugId,
        labels: ["Backend", "urgent"],
        assignee: "ada-lovelace",
        delegate: "robot",
        parent: "ENG-2",
        blockedBy: ["ENG-1"],
        createdAt: 1_760_000_000_000
      })
      linear.addComment(id, "Hello")
      const { data } = await send<{ issue: unknown }>(
        linear,
        `query One($id: String!) { issue(id: $id) {
          id identifier number title description priority url branchName createdAt archivedAt trashed previousIdentifiers
          team { key } state { name type } project { id } assignee { isMe } delegate { app } parent { identifier }
          labels(first: 10) { nodes { name } }
          inverseRelations(first: 10) { nodes { type issue { identifier state { type } } } }
          comments { nodes { body user { displayName } parent { id } } }
          children { nodes { id } }
        } }`,
        { id }
      )
      assert.deepStrictEqual(data.issue, {
        id,
        identifier: "ENG-3",
        number: 3,
        title: "The one",
        description: "Text",
        priority: 2,
        url: "https://linear.app/acme/issue/ENG-3/the-one",
        branchName: "ada-lovelace/eng-3-the-one",
        createdAt: "2025-10-09T08:53:20.000Z",
        archivedAt: null,
        trashed: null,
        previousIdentifiers: [],
        team: { key: "ENG" },
        state: { name: "Todo", type: "unstarted" },
        project: { id: linear.project.id },
        assignee: { isMe: true },
        delegate: { app: true },
        parent: { identifier: "ENG-2" },
        labels: { nodes: [{ name: "urgent" }, { name: "Backend" }] },
        inverseRelations: { nodes: [{ type: "blocks", issue: { identifier: "ENG-1", state: { type: "started" } } }] },
        comments: { nodes: [{ body: "Hello", user: { displayName: "ada-lovelace" }, parent: null }] },
        children: { nodes: [] }
      })
    }))

  it("find an issue by id, identifier and the identifiers it had", () =>
    on(
      async (linear) => {
        const { id } = linear.createIssue({ title: "Wanderer", team: "ENG", labels: ["x"] })
        linear.moveToTeam("ENG-1", "OPS")
        for (const reference of [id, "OPS-1", "ops-1", "ENG-1"]) {
          const { data } = await send<{ issue: unknown }>(
            linear,
            "query Find($id: String!) { issue(id: $id) { id identifier previousIdentifiers team { key } state { team { key } } } }",
            { id: reference }
          )
          assert.deepStrictEqual(data.issue, {
            id,
            identifier: "OPS-1",
            previousIdentifiers: ["ENG-1"],
            team: { key: "OPS" },
            state: { team: { key: "OPS" } }
          })
        }
      },
      { teams: [{ key: "ENG" }, { key: "OPS" }] }
    ))

  it("find a project by id, slug id and the end of its URL", () =>
    on(async (linear) => {
      const { id, slugId } = linear.project
      for (const reference of [id, slugId, linear.projectUrl.split("/").at(-1)]) {
        const { data } = await send<{ project: unknown }>(
          linear,
          "query Project($id: String!) { project(id: $id) { id slugId url teams { nodes { key states { nodes { name } } } } } }",
          { id: reference }
        )
        assert.deepInclude(data.project, { id, slugId, url: linear.projectUrl })
      }
    }))

  it("say that an entity is not there with status 200 and the path", () =>
    on(async (linear) => {
      for (const [field, entity] of [
        ["issue", "Issue"],
        ["project", "Project"]
      ]) {
        const failed = await failure(linear, `query Missing { ${field}(id: "ENG-404") { id } }`)
        assert.deepInclude(failed, { status: 200, code: "INPUT_ERROR", type: "InvalidInput" })
        assert.include(failed.message, `Could not find referenced ${entity}`)
      }
    }))

  it("page through issues, newest first, while people archive them", () =>
    on(async (linear) => {
      linear.createIssues(Array.from({ length: 7 }, (_, at) => ({ title: `Number ${at}` })))
      const first = await send<Page>(linear, page, { first: 3 })
      assert.deepStrictEqual(
        first.data.issues.nodes.map((it) => it.identifier),
        ["ENG-7", "ENG-6", "ENG-5"]
      )
      linear.archiveIssue("ENG-5")
      linear.archiveIssue("ENG-2")
      const after = first.data.issues.pageInfo.endCursor
      const second = await send<Page>(linear, page, { first: 3, after })
      assert.deepStrictEqual(
        second.data.issues.nodes.map((it) => it.identifier),
        ["ENG-4", "ENG-3", "ENG-1"]
      )
      assert.isFalse(second.data.issues.pageInfo.hasNextPage)
    }))

  it("show archived issues only when asked, and say how they went", () =>
    on(async (linear) => {
      linear.createIssues([{ title: "Stays" }, { title: "Archived" }, { title: "Trashed" }, { title: "Deleted" }])
      linear.archiveIssue("ENG-2", true)
      linear.trashIssue("ENG-3")
      linear.deleteIssue("ENG-4")
      assert.deepStrictEqual(await identifiers(linear, {}), ["ENG-1"])
      assert.deepStrictEqual(await identifiers(linear, {}, { includeArchived: true }), ["ENG-3", "ENG-2", "ENG-1"])
      const { data } = await send<{ issue: { trashed: boolean } }>(linear, 'query T { issue(id: "ENG-3") { trashed } }')
      assert.isTrue(data.issue.trashed)
    }))

  it.each([[0], [251], [-1]])("refuse first: %d with status 200", (first) =>
    on(async (linear) => {
      const failed = await failure(linear, page, { first })
      assert.deepInclude(failed, { status: 200, code: "INVALID_INPUT" })
      assert.include(failed.message, "must be between 1 and 250")
    })
  )

  it("refuse a cursor that is none, and first together with last", () =>
    on(async (linear) => {
      assert.strictEqual((await failure(linear, page, { after: "nonsense" })).code, "INVALID_INPUT")
      const both = "query Both { issues(first: 1, last: 1) { nodes { id } } }"
      assert.strictEqual((await failure(linear, both)).code, "INVALID_INPUT")
    }))

  it("refuse what is not valid with status 400, and carry nothing out", () =>
    on(async (linear) => {
      const { id } = linear.createIssue({ title: "Untouched" })
      const failed = await failure(
        linear,
        'mutation Wrong($id: ID!) { issueUpdate(id: $id, input: { title: "Touched" }) { success } }',
        { id }
      )
      assert.deepInclude(failed, { status: 400, code: "GRAPHQL_VALIDATION_FAILED", type: "GraphqlError" })
      assert.strictEqual(linear.issue(id).title, "Untouched")
    }))

  it("refuse variables of the wrong type with status 400", () =>
    on(async (linear) => {
      assert.strictEqual((await failure(linear, page, { first: "many" })).status, 400)
    }))
})
