import { assert, describe, it } from "@effect/vitest"
import type { FakeLinear } from "../../src/testing/index.ts"
import { failure, on, send } from "./Client.ts"

const createComment = `mutation CreateComment($input: CommentCreateInput!) {
  commentCreate(input: $input) { success lastSyncId comment { id body editedAt user { isMe } } }
}`
const updateIssue = `mutation UpdateIssue($id: String!, $input: IssueUpdateInput!) {
  issueUpdate(id: $id, input: $input) { success issue { identifier } }
}`
const uuid = "11111111-1111-4111-8111-111111111111"

interface CommentCreate {
  readonly commentCreate: {
    readonly success: boolean
    readonly lastSyncId: number
    readonly comment: { readonly id: string }
  }
}

const withIssue = (play: (linear: FakeLinear.FakeLinear) => Promise<void>) =>
  on(async (linear) => {
    linear.createIssue({ title: "First", state: "Todo" })
    await play(linear)
  })

const stateId = (linear: FakeLinear.FakeLinear, name: string, team = 0): string | undefined =>
  linear.entities("WorkflowState").find((state) => state.name === name && state.teamId === linear.teams[team]?.id)?.id

describe("comments on the fake Linear", () => {
  it("are made with the id of the client, in Linear's Markdown", () =>
    withIssue(async (linear) => {
      const body = "- one\n- two https://example.com/x\n\n```\n- code\n```\n"
      const { data } = await send<CommentCreate>(linear, createComment, {
        input: { id: uuid, issueId: "ENG-1", body }
      })
      assert.isAbove(data.commentCreate.lastSyncId, 0)
      assert.deepInclude(data.commentCreate, {
        success: true,
        comment: {
          id: uuid,
          body: "* one\n* two <https://example.com/x>\n\n```\n- code\n```",
          editedAt: null,
          user: { isMe: true }
        } as { id: string }
      })
    }))

  it("are not made twice with one id", () =>
    withIssue(async (linear) => {
      await send(linear, createComment, { input: { id: uuid, issueId: "ENG-1", body: "once" } })
      const failed = await failure(linear, createComment, { input: { id: uuid, issueId: "ENG-1", body: "twice" } })
      assert.deepInclude(failed, { status: 200, code: "INVALID_INPUT" })
      assert.include(failed.message, "already in use")
      assert.lengthOf(linear.entities("Comment"), 1)
    }))

  it("are made although the answer is lost, so that the same id shows it", () =>
    withIssue(async (linear) => {
      linear.addFault({ fault: { kind: "lostAnswer" }, type: "mutation", nth: 1 })
      await send(linear, "query Before { viewer { id } }")
      const input = { id: uuid, issueId: "ENG-1", body: "said" }
      assert.match((await failure(linear, createComment, { input })).message, /fetch failed/)
      assert.include((await failure(linear, createComment, { input })).message, "already in use")
    }))

  it("need a body and an id that is a UUID", () =>
    withIssue(async (linear) => {
      for (const wrong of [{ body: " " }, { body: "text", id: "mine" }]) {
        const failed = await failure(linear, createComment, { input: { issueId: "ENG-1", ...wrong } })
        assert.strictEqual(failed.code, "INVALID_INPUT")
      }
    }))

  it("are found by issue, text and thread, and edited by their authors only", () =>
    withIssue(async (linear) => {
      linear.createUser({ name: "Grace Hopper" })
      const mine = linear.addComment("ENG-1", "## Workpad\n\nmine")
      linear.addComment("ENG-1", "## Workpad reply", { parent: mine.id })
      const other = linear.addComment("ENG-1", "Something else", { user: "grace-hopper" })
      const { data } = await send<{ comments: unknown }>(
        linear,
        `query Pad($issue: ID!, $marker: String!) {
          comments(filter: { issue: { id: { eq: $issue } }, body: { contains: $marker }, parent: { null: true } }, first: 20) {
            nodes { id resolvedAt user { id } }
          }
        }`,
        { issue: linear.issue("ENG-1").id, marker: "## Workpad" }
      )
      assert.deepStrictEqual(data.comments, {
        nodes: [{ id: mine.id, resolvedAt: null, user: { id: linear.viewer.id } }]
      })
      const update = `mutation Edit($id: String!) { commentUpdate(id: $id, input: { body: "new" }) { success comment { body } } }`
      const edited = await send<{ commentUpdate: unknown }>(linear, update, { id: mine.id })
      assert.deepStrictEqual(edited.data.commentUpdate, { success: true, comment: { body: "new" } })
      assert.strictEqual((await failure(linear, update, { id: other.id })).type, "Forbidden")
      assert.include((await failure(linear, update, { id: uuid })).message, "Could not find referenced Comment")
    }))

  it("are resolved, reopened and deleted", () =>
    withIssue(async (linear) => {
      const { id } = linear.addComment("ENG-1", "text")
      const resolved = () => linear.entities("Comment")[0]?.resolvedAt
      await send(linear, `mutation R { commentResolve(id: "${id}") { success comment { resolvedAt } } }`)
      assert.isNumber(resolved())
      await send(linear, `mutation U { commentUnresolve(id: "${id}") { success } }`)
      assert.isNull(resolved())
      await send(linear, `mutation D { commentDelete(id: "${id}") { success entityId } }`)
      assert.lengthOf(linear.entities("Comment"), 0)
    }))
})

describe("issues of the fake Linear", () => {
  it("are made as sub-issues with the client's id", () =>
    withIssue(async (linear) => {
      const { data } = await send<{ issueCreate: unknown }>(
        linear,
        `mutation Create($input: IssueCreateInput!) {
          issueCreate(input: $input) { success issue { id identifier parent { identifier } state { name } creator { isMe } } }
        }`,
        { input: { id: uuid, teamId: linear.teams[0]?.id, title: "Child", parentId: "ENG-1" } }
      )
      assert.deepStrictEqual(data.issueCreate, {
        success: true,
        issue: {
          id: uuid,
          identifier: "ENG-2",
          parent: { identifier: "ENG-1" },
          state: { name: "Backlog" },
          creator: { isMe: true }
        }
      })
    }))

  it("are moved, which sets the instants of their progress", () =>
    withIssue(async (linear) => {
      const move = (state: string) =>
        send(linear, updateIssue, { id: "ENG-1", input: { stateId: stateId(linear, state) } })
      await move("In Progress")
      await move("Done")
      const [done] = linear.entities("Issue")
      assert.isNumber(done?.startedAt)
      assert.isNumber(done?.completedAt)
      await move("Todo")
      assert.deepInclude(linear.entities("Issue")[0], { startedAt: null, completedAt: null })
    }))

  it("are not moved to a state of another team", () =>
    on(
      async (linear) => {
        linear.createIssue({ title: "Of ENG" })
        const input = { stateId: stateId(linear, "Done", 1) }
        const failed = await failure(linear, updateIssue, { id: "ENG-1", input })
        assert.include(failed.message, "does not belong to the team")
      },
      { teams: [{ key: "ENG" }, { key: "OPS" }] }
    ))

  it("keep their last change when nothing changes", () =>
    withIssue(async (linear) => {
      const { updatedAt } = linear.issue("ENG-1")
      await send(linear, updateIssue, { id: "ENG-1", input: { stateId: stateId(linear, "Todo") } })
      assert.strictEqual(linear.issue("ENG-1").updatedAt, updatedAt)
    }))

  it("take labels as a set or as a difference", () =>
    withIssue(async (linear) => {
      linear.addLabel("ENG-1", "a")
      linear.createIssue({ title: "Other", labels: ["b", "c"] })
      const id = (name: string) => linear.entities("IssueLabel").find((label) => label.name === name)?.id
      const difference = { addedLabelIds: [id("b"), id("c")], removedLabelIds: [id("a")] }
      await send(linear, updateIssue, { id: "ENG-1", input: difference })
      assert.deepStrictEqual(linear.issue("ENG-1").labels, ["b", "c"])
      await send(linear, updateIssue, { id: "ENG-1", input: { labelIds: [id("a")] } })
      assert.deepStrictEqual(linear.issue("ENG-1").labels, ["a"])
    }))

  it("block each other, once", () =>
    withIssue(async (linear) => {
      linear.createIssue({ title: "Second" })
      const relate = `mutation Block($input: IssueRelationCreateInput!) {
        issueRelationCreate(input: $input) { success issueRelation { type issue { identifier } relatedIssue { identifier } } }
      }`
      const input = { issueId: "ENG-1", relatedIssueId: "ENG-2", type: "blocks" }
      const { data } = await send<{ issueRelationCreate: { issueRelation: unknown } }>(linear, relate, { input })
      await send(linear, relate, { input })
      assert.deepStrictEqual(data.issueRelationCreate.issueRelation, {
        type: "blocks",
        issue: { identifier: "ENG-1" },
        relatedIssue: { identifier: "ENG-2" }
      })
      assert.deepStrictEqual(linear.issue("ENG-2").blockedBy, ["ENG-1"])
      const itself = { ...input, relatedIssueId: "ENG-1" }
      assert.strictEqual((await failure(linear, relate, { input: itself })).code, "INPUT_ERROR")
    }))

  it("are not blocked twice with one id", () =>
    withIssue(async (linear) => {
      linear.createIssue({ title: "Second" })
      const relate = `mutation Block($input: IssueRelationCreateInput!) { issueRelationCreate(input: $input) { success } }`
      const input = { id: uuid, issueId: "ENG-1", relatedIssueId: "ENG-2", type: "blocks" }
      await send(linear, relate, { input })
      assert.include((await failure(linear, relate, { input })).message, "already in use")
    }))

  it("refuse loudly what the fake does not know", async () => {
    let status: number | undefined
    const played = on(async (linear) => {
      linear.createIssue({ title: "First" })
      status = (await failure(linear, updateIssue, { id: "ENG-1", input: { cycleId: uuid } })).status
    })
    const reason = await played.then(String, String)
    assert.strictEqual(status, 500)
    assert.include(reason, "IssueUpdateInput: cycleId")
  })
})

describe("attachments and files of the fake Linear", () => {
  it("are one per issue and URL", () =>
    withIssue(async (linear) => {
      const link = `mutation Link($title: String) {
        attachmentLinkURL(issueId: "ENG-1", url: "https://example.com/1", title: $title) { success attachment { id title } }
      }`
      await send(linear, link, { title: "Old" })
      await send(linear, link, { title: "New" })
      assert.deepStrictEqual(
        linear.entities("Attachment").map(({ title }) => title),
        ["New"]
      )
    }))

  it("link pull requests of GitHub, and nothing else as such", () =>
    withIssue(async (linear) => {
      const link = `mutation Pull($url: String!) { attachmentLinkGitHubPR(issueId: "ENG-1", url: $url) { success attachment { title } } }`
      await send(linear, link, { url: "https://github.com/acme/app/pull/7" })
      assert.deepInclude(linear.entities("Attachment")[0], { title: "acme/app#7", sourceType: "github" })
      assert.strictEqual((await failure(linear, link, { url: "https://example.com/pull/7" })).code, "INVALID_INPUT")
    }))

  it("are uploaded with the headers that were announced", () =>
    withIssue(async (linear) => {
      const { data } = await send<{
        fileUpload: {
          uploadFile: { uploadUrl: string; assetUrl: string; headers: ReadonlyArray<{ key: string; value: string }> }
        }
      }>(
        linear,
        `mutation Upload { fileUpload(filename: "shot.png", contentType: "image/png", size: 4) {
          success uploadFile { uploadUrl assetUrl headers { key value } }
        } }`
      )
      const { assetUrl, headers, uploadUrl } = data.fileUpload.uploadFile
      const put = (more: Record<string, string>, body: string) =>
        fetch(uploadUrl, { method: "PUT", body, headers: { "content-type": "image/png", ...more } })
      const announced = Object.fromEntries(headers.map(({ key, value }) => [key, value]))
      assert.strictEqual((await put({}, "1234")).status, 403)
      assert.strictEqual((await put(announced, "12345")).status, 400)
      assert.strictEqual((await fetch(assetUrl)).status, 404)
      assert.strictEqual((await put(announced, "1234")).status, 200)
      assert.strictEqual(await (await fetch(assetUrl)).text(), "1234")
    }))
})
