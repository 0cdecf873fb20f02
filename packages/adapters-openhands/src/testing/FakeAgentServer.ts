/**
 * An OpenHands agent-server for tests: real HTTP and real WebSockets on a loopback port, the REST and event contract of
 * 1.57.0 (or of an older version, where a client notices), an agent that does what scripts say, and faults on order.
 * Contract tests hold it against the real server.
 */
import type { ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { asRecord, listen, type LocalRequest, type LocalServer, sendJson } from "./LocalServer.ts"
import * as ControlRoutes from "./server/ControlRoutes.ts"
import type { StampedEvent } from "./server/AgentEvents.ts"
import * as ConversationRecord from "./server/ConversationRecord.ts"
import * as ConversationRoutes from "./server/ConversationRoutes.ts"
import * as Conversations from "./server/Conversations.ts"
import { digestOf } from "./server/CreateRequest.ts"
import * as EventSocket from "./server/EventSocket.ts"
import * as Faults from "./server/Faults.ts"
import * as Pace from "./server/Pace.ts"
import * as Reply from "./server/Reply.ts"
import { DEFAULT_VERSION, featuresOf } from "./server/ServerVersion.ts"
import type { TurnRule } from "./server/TurnScript.ts"

export interface FakeAgentServerOptions {
  /** Keys of the REST interface and of sockets; none: no authentication. Default: none. */
  readonly apiKeys?: ReadonlyArray<string>
  /** What it says that it is, and behaves like. Default 1.57.0. */
  readonly version?: string
  readonly scripts?: ReadonlyArray<TurnRule>
  readonly faults?: ReadonlyArray<Faults.Fault>
  /** Seed of what happens by chance. Default 1. */
  readonly seed?: number
  /** Divides every wait. Default 1. */
  readonly speed?: number
  /** A clock of the test's own; goes before `speed`. */
  readonly pace?: Pace.Pace
  /** Where conversations are kept. Default: in memory, across restarts of this fake. */
  readonly directory?: string
  /** A fixed port. Default: a free one. */
  readonly port?: number
  /** How long `/ready` says no after every start. Default 0. */
  readonly readyAfterMs?: number
  /** The server's zone, which event timestamps are in without saying so. Default 0. */
  readonly utcOffsetMinutes?: number
  /** How long an event that was published is missing from the log. Default 0. */
  readonly persistLagMs?: number
  /** LLM keys that work; with others a run ends in an authentication error. Default: any. */
  readonly llmKeys?: ReadonlyArray<string>
  /** Whether LLM keys survive a restart, as they do with `OH_SECRET_KEY`. Default true. */
  readonly keepsKeys?: boolean
  /** How often sockets are pinged, in real time whatever the pace; one that does not answer is closed. Default 20,000. */
  readonly pingEveryMs?: number
  /** Runs at a time; one more is refused with 429. Default 10, as the real server. */
  readonly maxConcurrentRuns?: number
  /** Tools that an agent may name. Default: those of the real server that a workflow would name. */
  readonly usableTools?: ReadonlyArray<string>
  /** Makes a repository of a workspace that is none, as the real server does. Default false. */
  readonly initialiseGit?: boolean
}

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly body: string
  /** 0: not answered. */
  readonly status: number
  readonly at: number
}

/** A conversation as the test may look at it. */
export interface SeenConversation {
  readonly id: string
  readonly status: ConversationRecord.ExecutionStatus
  readonly workspace: string
  readonly tags: Readonly<Record<string, string>>
  readonly agent: Readonly<Record<string, unknown>>
  readonly secretNames: ReadonlyArray<string>
  readonly events: ReadonlyArray<StampedEvent>
  /** Text of each user message. */
  readonly messages: ReadonlyArray<string>
  /** Sockets that listen. */
  readonly sockets: number
}

/** A running fake and its controls. */
export interface FakeAgentServer {
  readonly url: string
  /** The same controls over HTTP, on a port that survives a crash of the fake. */
  readonly controlUrl: string
  readonly pace: Pace.Pace
  /** Adds rules; they go before those there are. */
  readonly script: (...rules: ReadonlyArray<TurnRule>) => void
  readonly clearScripts: () => void
  readonly fault: (fault: Faults.Fault) => void
  readonly clearFaults: (id?: string) => void
  readonly faults: () => ReadonlyArray<Faults.Fault & { readonly applied: number }>
  readonly setVersion: (version: string) => void
  readonly setReady: (ready: boolean) => void
  readonly setApiKeys: (keys: ReadonlyArray<string>) => void
  readonly setLlmKeys: (keys: ReadonlyArray<string> | undefined) => void
  /** Cuts the sockets of one conversation, or all. */
  readonly cutSockets: (conversation?: string) => void
  /** Publishes an event in a conversation and keeps it in the log. */
  readonly emit: (conversation: string, event: Readonly<Record<string, unknown>>) => void
  readonly conversations: () => ReadonlyArray<SeenConversation>
  readonly conversation: (id: string) => SeenConversation | undefined
  readonly requests: () => ReadonlyArray<SeenRequest>
  /** Ends as by `kill -9`: connections cut, runs gone, the port closed. */
  readonly crash: () => Promise<void>
  /** Ends as by SIGTERM: runs interrupted, sockets closed with 1012, the port closed. */
  readonly stop: () => Promise<void>
  /** Starts again on the same port from what was kept. */
  readonly restart: () => Promise<void>
  /** Ends everything, the control port too. */
  readonly close: () => Promise<void>
}

/** How many requests are remembered. */
const KEPT_REQUESTS = 10_000

/** Starts a fake; the caller closes it. */
export const start = async (options: FakeAgentServerOptions = {}): Promise<FakeAgentServer> => {
  const pace = options.pace ?? Pace.real(options.speed)
  const faults = Faults.make(options.seed ?? 1, options.faults)
  const store =
    options.directory === undefined ? ConversationRecord.memory() : ConversationRecord.directory(options.directory)
  const { maxConcurrentRuns = 10, usableTools = USABLE_TOOLS } = options
  const requests: Array<SeenRequest> = []
  let rules: ReadonlyArray<TurnRule & { readonly uses: { count: number } }> = (options.scripts ?? []).map(counted)
  let version = options.version ?? DEFAULT_VERSION
  let features = featuresOf(version)
  let apiKeys = options.apiKeys ?? []
  let llmKeys = options.llmKeys?.map(digestOf)
  let ready = false
  let port = options.port ?? 0
  let server: LocalServer | undefined
  let conversations: Conversations.Conversations

  const environment = {
    pace,
    store,
    utcOffsetMinutes: options.utcOffsetMinutes ?? 0,
    persistLagMs: options.persistLagMs ?? 0,
    get classification() {
      return features.classification
    },
    behaves: faults.behaves,
    crash: () => void crash(),
    keyAccepted: (digest: string | null) => llmKeys === undefined || llmKeys.includes(digest),
    scriptFor: (conversation: string, text: string) => {
      const rule = rules.find(
        (candidate) =>
          (candidate.match === undefined || text.includes(candidate.match)) &&
          (candidate.conversation === undefined || candidate.conversation === conversation) &&
          candidate.uses.count < (candidate.times ?? Number.POSITIVE_INFINITY)
      )
      if (rule === undefined) return undefined
      rule.uses.count += 1
      return rule
    }
  }

  const handle = async (request: LocalRequest, response: ServerResponse): Promise<void> => {
    const controlled = await ControlRoutes.answer(request, fake)
    if (controlled !== undefined) return sendJson(response, controlled.status, controlled.body)
    const seen = (status: number) => {
      const { method, path, body, query } = request
      requests.push({ method, path, body, query: query.toString(), status, at: pace.now() })
      if (requests.length > KEPT_REQUESTS) requests.shift()
    }
    const send = (reply: Reply.Reply) => {
      seen(reply.status)
      sendJson(response, reply.status, reply.body)
    }
    const effect = faults.forRequest(request.method, request.path, ConversationRoutes.conversationOf(request.path))
    if (effect?.type === "hang") return seen(0)
    if (effect?.type === "reset") {
      seen(0)
      return void response.destroy()
    }
    if (effect?.type === "delay") await pace.wait(effect.ms)
    if (effect?.type === "status") return send(failure(effect))
    if (effect?.type === "garbage") {
      seen(200)
      return void response.writeHead(200, { "content-type": "text/html" }).end("<html>Bad Gateway</html>")
    }
    const reply = await answer(request)
    if (effect?.type === "hangAfter") return seen(0)
    send(effect?.type === "failAfter" ? failure(effect) : reply)
  }

  const failure = (effect: { readonly status: number; readonly detail?: string; readonly exception?: string }) =>
    effect.status >= 500 && effect.detail === undefined
      ? { ...Reply.internal(effect.exception ?? "RuntimeError", features.errorId), status: effect.status }
      : { status: effect.status, body: { detail: effect.detail ?? "Error" } }

  const answer = async (request: LocalRequest): Promise<Reply.Reply> => {
    const open = request.method === "GET" ? unprotected(request.path) : undefined
    if (open !== undefined) return open
    if (request.path.startsWith("/api/")) {
      const key = request.headers["x-session-api-key"]
      if (apiKeys.length > 0 && !apiKeys.includes(String(key))) return { status: 401, body: { detail: "Unauthorized" } }
    }
    const environment = { conversations, features, faults, pace, maxConcurrentRuns, usableTools: new Set(usableTools) }
    return (await ConversationRoutes.answer(request, environment)) ?? Reply.notFound()
  }

  const unprotected = (path: string): Reply.Reply | undefined => {
    switch (path) {
      case "/alive":
      case "/health":
        return Reply.ok(features.healthIsObject ? { status: "ok" } : "OK")
      case "/ready":
        return ready
          ? Reply.ok({ status: "ready" })
          : { status: 503, body: { status: "initializing", message: "Server is still initializing" } }
      case "/":
      case "/server_info":
        return Reply.ok(serverInfo(version, usableTools))
      default:
        return undefined
    }
  }

  const open = async () => {
    conversations = Conversations.make(environment, options.initialiseGit ?? false)
    ready = (options.readyAfterMs ?? 0) === 0
    if (!ready) void pace.wait(options.readyAfterMs ?? 0).then(() => (ready = true))
    server = await listen(handle, port)
    port = server.port
    EventSocket.attach(server, {
      conversations: () => conversations,
      features: () => features,
      faults,
      pace,
      apiKeys: () => apiKeys,
      pingEveryMs: options.pingEveryMs ?? 20_000
    })
  }

  const shut = async () => {
    const closing = server
    server = undefined
    await closing?.close()
  }

  const forgetKeys = () => {
    for (const { base, events } of store.load()) store.save({ base: { ...base, keyDigest: null }, events })
  }

  const crash = async () => {
    if (server === undefined) return
    conversations.kill()
    await shut()
    if (options.keepsKeys === false) forgetKeys()
  }

  const stop = async () => {
    if (server === undefined) return
    await conversations.stop()
    await shut()
    if (options.keepsKeys === false) forgetKeys()
  }

  const seenOf = ({ conversation }: Conversations.Entry): SeenConversation => {
    const { base, events } = conversation.record
    return {
      id: base.id,
      status: base.status,
      workspace: base.workingDir,
      tags: base.tags,
      agent: base.agent,
      secretNames: base.secretNames,
      events: [...events],
      messages: events
        .filter(({ kind, source }) => kind === "MessageEvent" && source === "user")
        .map((event) => textOf(event)),
      sockets: conversation.subscribers.size
    }
  }

  const fake: FakeAgentServer = {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    get controlUrl() {
      return `${control.url}/control`
    },
    pace,
    script: (...added) => {
      rules = [...added.map(counted), ...rules]
    },
    clearScripts: () => {
      rules = []
    },
    fault: faults.add,
    clearFaults: faults.clear,
    faults: faults.list,
    setVersion: (next) => {
      version = next
      features = featuresOf(next)
    },
    setReady: (next) => {
      ready = next
    },
    setApiKeys: (keys) => {
      apiKeys = keys
    },
    setLlmKeys: (keys) => {
      llmKeys = keys?.map(digestOf)
    },
    cutSockets: (id) => {
      for (const { conversation } of conversations.all()) {
        if (id !== undefined && id !== conversation.id) continue
        for (const subscriber of conversation.subscribers) subscriber.cut()
      }
    },
    emit: (id, event) =>
      void conversations.get(id)?.conversation.emit({ kind: "UnknownEvent", source: "environment", ...event }),
    conversations: () => conversations.all().map(seenOf),
    conversation: (id) => {
      const entry = conversations.get(id)
      return entry === undefined ? undefined : seenOf(entry)
    },
    requests: () => [...requests],
    crash,
    stop,
    restart: async () => {
      await crash()
      await open()
    },
    close: async () => {
      await crash()
      await control.close()
    }
  }

  const control = await listen(async (request, response) => {
    const reply = (await ControlRoutes.answer(request, fake)) ?? Reply.notFound()
    sendJson(response, reply.status, reply.body)
  })
  await open()
  return fake
}

/** A fake that lives as long as the scope. */
export const make = (options: FakeAgentServerOptions = {}): Effect.Effect<FakeAgentServer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => start(options)),
    (fake) => Effect.promise(() => fake.close())
  )

const counted = (rule: TurnRule) => ({ ...rule, uses: { count: 0 } })

const USABLE_TOOLS = [
  "apply_patch",
  "browser_tool_set",
  "file_editor",
  "glob",
  "grep",
  "planning_file_editor",
  "task",
  "task_tool_set",
  "task_tracker",
  "terminal"
]

const serverInfo = (version: string, usableTools: ReadonlyArray<string>) => ({
  uptime: 1,
  idle_time: 1,
  title: "OpenHands Agent Server",
  version,
  sdk_version: version,
  tools_version: version,
  workspace_version: version,
  build_git_sha: "unknown",
  build_git_ref: "unknown",
  python_version: "3.12.1",
  usable_tools: usableTools,
  runtime_idle_timeout_seconds: null,
  capabilities: [],
  docs: "/docs",
  redoc: "/redoc"
})

const textOf = (event: StampedEvent): string => {
  const content = asRecord(event["llm_message"])["content"]
  return Array.isArray(content) ? content.map((part: unknown) => String(asRecord(part)["text"] ?? "")).join("\n") : ""
}
