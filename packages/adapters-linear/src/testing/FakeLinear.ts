/**
 * A Linear that runs on this machine: a real HTTP server that executes the real schema on a board in memory.
 *
 * The schema is rebuilt from the installed SDK, so that a document that Linear would refuse is refused here. Answers have
 * Linear's statuses, error shapes, paging, costs and rate limit headers; what the fake does not implement (a filter, an argument, a
 * field) is answered with 500 and remembered, never ignored. Tests play people, troubles and limits through the handle, or
 * over HTTP from another process ({@link connect}).
 *
 * @example
 * const program = Effect.scoped(Effect.gen(function* () {
 *   const linear = yield* FakeLinear.make()
 *   linear.createIssue({ title: "First", state: "Todo", project: linear.project.id })
 *   linear.addFault({ fault: { kind: "html", status: 502 }, nth: 2 })
 *   // ... a client with linear.url and linear.apiKey ...
 *   assert.deepStrictEqual(linear.unimplemented(), [])
 * }))
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { ApiState } from "./Api.ts"
import * as Board from "./Board.ts"
import * as BoardControl from "./BoardControl.ts"
import type { ComplexityModel } from "./Complexity.ts"
import * as Control from "./Control.ts"
import * as EndpointLimits from "./EndpointLimits.ts"
import type { Project, Team, User } from "./Entities.ts"
import * as Faults from "./Faults.ts"
import * as RateLimits from "./RateLimits.ts"
import * as RequestLog from "./RequestLog.ts"
import * as Server from "./Server.ts"
import * as Webhooks from "./Webhooks.ts"

export interface Options {
  /** Milliseconds since 1970: what the API calls now, and what its budgets refill by. */
  readonly now?: () => number
  /** `acme` unless told. */
  readonly workspace?: string
  /** Of the key's owner. */
  readonly viewer?: { readonly name?: string; readonly app?: boolean }
  /** Those of a personal API key unless told. */
  readonly budgets?: Partial<RateLimits.Budgets>
  /** Which model is enforced and charged; the documented one unless told: it is the stricter. */
  readonly complexityModel?: ComplexityModel
  /** A free one unless told. */
  readonly port?: number
  /** Teams that are there from the start; one with the key `ENG` and Linear's usual states unless told. */
  readonly teams?: ReadonlyArray<{
    readonly key: string
    readonly name?: string
    readonly states?: ReadonlyArray<BoardControl.StateDraft>
  }>
  /** The project over all those teams; `Symphony` unless told. */
  readonly project?: { readonly name?: string; readonly slugId?: string }
}

export interface FakeLinear extends Control.Control {
  /** The GraphQL endpoint. */
  readonly url: string
  readonly origin: string
  /** Belongs to {@link FakeLinear.viewer}; sent bare. */
  readonly apiKey: string
  /** The same user's OAuth access token; sent with `Bearer`. */
  readonly accessToken: string
  readonly viewer: User
  readonly teams: ReadonlyArray<Team>
  readonly project: Project
  /** The project's address, as people copy it. */
  readonly projectUrl: string
  /** Posts a past webhook delivery again, byte for byte. */
  readonly replayDelivery: (id: string) => Promise<Webhooks.Delivery>
  /** Comes when everything that was announced so far has been posted. */
  readonly webhooksSettled: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Closed with the scope. Its now is that of the Clock. */
export const make = (options: Options = {}): Effect.Effect<FakeLinear, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const now = options.now ?? (() => clock.currentTimeMillisUnsafe())
    return yield* Effect.acquireRelease(
      Effect.promise(() => start({ ...options, now })),
      (linear) => Effect.promise(linear.close)
    )
  })

/** For those who do not use Effect: whoever starts it closes it. */
export async function start(options: Options = {}): Promise<FakeLinear> {
  const clock = options.now ?? (() => performance.timeOrigin + performance.now())
  const workspace = options.workspace ?? "acme"
  const board = Board.make(() => Math.trunc(clock()), { name: workspace, urlKey: workspace })
  const { app = false, name = "Ada Lovelace" } = options.viewer ?? {}
  const handle = Board.slugify(name)
  const viewer = Board.insert<"User">(board, {
    __typename: "User",
    name,
    displayName: handle,
    email: `${handle}@example.com`,
    active: true,
    admin: true,
    app
  })
  const people = BoardControl.make(board, viewer.id)
  const teams = (options.teams ?? [{ key: "ENG", name: "Engineering" }]).map(people.createTeam)
  const project = people.createProject({ name: "Symphony", ...options.project })
  const apiKey = "lin_api_fake0000000000000000000000000000000000"
  const accessToken = "lin_oauth_fake00000000000000000000000000000000"
  const budgets = { ...RateLimits.defaults, ...options.budgets }
  const state: ApiState = {
    board,
    credentials: { apiKeys: new Map([[apiKey, viewer.id]]), accessTokens: new Map([[accessToken, viewer.id]]) },
    faults: Faults.make(),
    log: RequestLog.make(),
    buckets: new Map(),
    endpointLimits: EndpointLimits.make(),
    unimplemented: [],
    corruptions: new Map(),
    budgets,
    complexityModel: options.complexityModel ?? "documented"
  }
  const webhooks = Webhooks.make(board, viewer.id)
  const open: { server?: Server.Server } = {}
  const disconnect = () => open.server?.disconnect()
  const control = Control.make(state, people, webhooks, { viewerId: viewer.id, disconnect })
  const server = await Server.listen(state, (method, args) => Control.call(control, method, args), options.port)
  open.server = server
  return {
    ...control,
    url: `${server.origin}/graphql`,
    origin: server.origin,
    apiKey,
    accessToken,
    viewer,
    teams,
    project,
    projectUrl: `https://linear.app/${workspace}/project/${Board.projectSlug(project)}`,
    replayDelivery: webhooks.replay,
    webhooksSettled: webhooks.settled,
    close: server.close
  }
}

/** The control calls of a fake in another process; `origin` is that fake's. A call that is refused rejects with the reason. */
export function connect(origin: string): Control.RemoteControl {
  const remote = new Proxy(
    {},
    {
      // Not a promise, so that it can come out of an async function.
      get: (_, method) =>
        method === "then" ? undefined : (...args: ReadonlyArray<unknown>) => controlCall(origin, String(method), args)
    }
  )
  // Every name is a call; whether the fake has it is the fake's to say.
  return remote as Control.RemoteControl
}

const controlCall = (origin: string, method: string, args: ReadonlyArray<unknown>): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" }
    const request = Http.request(
      `${origin}/control/${method}`,
      { method: "POST", headers, agent: false },
      (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.once("error", reject)
        response.once("end", () => {
          const answer: { readonly result?: unknown; readonly error?: string } = JSON.parse(
            Buffer.concat(chunks).toString()
          )
          if (answer.error === undefined) resolve(answer.result)
          else reject(new Error(answer.error))
        })
      }
    )
    request.once("error", reject)
    request.end(JSON.stringify({ args }))
  })
