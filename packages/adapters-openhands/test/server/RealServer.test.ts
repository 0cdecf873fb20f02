import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Endpoint } from "../../src/server/AgentServer.ts"
import { downWith, eventually, healthWhere, isAlive, isUp, newDirectory, startApart } from "./LocalServerFixture.ts"

/** An interpreter that has the pinned server, such as the one that `opensymphony install openhands` makes. */
const python = process.env["OPENSYMPHONY_OPENHANDS_PYTHON"]

const wanted = (directory: string) => ({
  directory,
  command: [python ?? "", "-m", "openhands.agent_server"],
  startupTimeoutMs: 180_000,
  environment: { LINEAR_API_KEY: "lin-secret" },
  patience: { probeIntervalMs: 1_000, killAfterMs: 10_000 }
})

const key = ({ sessionKey }: Endpoint): string => Redacted.value(sessionKey ?? Redacted.make(""))

const post = (endpoint: Endpoint, path: string, body: object) =>
  Effect.promise(async (): Promise<unknown> => {
    const headers = { "X-Session-API-Key": key(endpoint), "content-type": "application/json" }
    const response = await fetch(endpoint.baseUrl + path, { method: "POST", headers, body: JSON.stringify(body) })
    return response.json()
  })

const pidIn = (directory: string): number => JSON.parse(readFileSync(join(directory, "server.json"), "utf8")).pid

describe.skipIf(python === undefined)("the real agent-server (OPENSYMPHONY_OPENHANDS_PYTHON)", () => {
  it.live(
    "is started, shows commands no secret, is started anew when it dies, and leaves nothing behind",
    () =>
      Effect.gen(function* () {
        const directory = newDirectory()
        const { server, stop } = yield* startApart(wanted(directory))
        yield* healthWhere(server, isUp, "170 seconds")
        const endpoint = yield* server.endpoint

        const shown = JSON.stringify(yield* post(endpoint, "/api/bash/execute_bash_command", { command: "env" }))
        const config = JSON.parse(readFileSync(join(directory, "server-config.json"), "utf8"))
        assert.include(shown, "TZ=UTC")
        for (const secret of ["lin-secret", key(endpoint), config.secret_key]) assert.notInclude(shown, secret)

        const note = join(directory, "sleeper.pid")
        yield* post(endpoint, "/api/bash/start_bash_command", { command: `echo $$ > ${note}; exec sleep 777` })
        yield* eventually("the command runs", () => existsSync(note) && readFileSync(note, "utf8").trim() !== "")
        const sleeper = Number(readFileSync(note, "utf8"))
        assert.isTrue(isAlive(sleeper))

        const first = pidIn(directory)
        process.kill(-first, "SIGKILL")
        yield* downWith(server, /was ended by SIGKILL/)
        if (process.platform === "linux") yield* eventually("the command is gone", () => !isAlive(sleeper))
        yield* healthWhere(server, isUp, "170 seconds")
        const second = pidIn(directory)
        assert.notStrictEqual(second, first)
        assert.deepStrictEqual((yield* server.endpoint).baseUrl, endpoint.baseUrl)

        yield* stop
        assert.isFalse(isAlive(second))
      }),
    400_000
  )
})
