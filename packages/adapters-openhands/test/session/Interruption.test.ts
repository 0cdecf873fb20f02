import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import type { AgentServerApi } from "../../src/client/AgentServerApi.ts"
import { ApiError } from "../../src/client/ApiError.ts"
import type { Status } from "../../src/client/ConversationInfo.ts"
import { terminalMark } from "../../src/session/AgentProfile.ts"
import * as Interruption from "../../src/session/Interruption.ts"
import * as Scene from "../runtime/Scene.ts"

const failure = (problem: ApiError["problem"]) =>
  new ApiError({ operation: "do it", problem, status: null, detail: "" })

/** What `stop` needs of a server, where the conversation is always in this status. */
const serverWith = (status: Status | "gone", shell: AgentServerApi["shell"]): AgentServerApi => {
  const unused = () => Effect.die(new Error("not expected"))
  return {
    version: Effect.die(new Error("not expected")),
    create: unused,
    get: (id) =>
      status === "gone"
        ? Effect.fail(failure("missing"))
        : Effect.succeed({
            id,
            status,
            usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsd: 0 },
            tags: {},
            lastUserMessageId: null,
            hasStopHooks: false
          }),
    postMessage: unused,
    run: unused,
    interrupt: () => Effect.void,
    pause: unused,
    rejectActions: unused,
    condense: unused,
    count: Effect.void,
    switchLlm: unused,
    setTags: unused,
    remove: unused,
    finalResponse: unused,
    newestEvents: unused,
    shell
  }
}

const says =
  (stdout: string): AgentServerApi["shell"] =>
  () =>
    Effect.succeed({ exitCode: 0, stdout })

/** Runs the command here, as the server would where it is. */
const realShell: AgentServerApi["shell"] = (command) =>
  Effect.promise(
    () =>
      new Promise((resolve) => {
        execFile("bash", ["-c", command], (error, stdout) => resolve({ exitCode: error === null ? 0 : 1, stdout }))
      })
  )

/** Whether the process lives, and is not a zombie that nobody has waited for yet. */
const lives = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0] !== "Z"
  } catch {
    return false
  }
}

/**
 * A terminal's shell with a command in it that ignores Ctrl-C, as an interrupt of the subprocess terminal leaves it, and
 * one that went into a session of its own.
 */
const terminal = (mark: string) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<{ shell: number; command: number; daemon: number; close: () => void }>((resolve) => {
          const stubborn = `sh -c 'trap "" INT TERM; while :; do sleep 1; done'`
          const daemon = `setsid sh -c 'echo daemon $$; exec sleep 61'`
          const inside = `echo shell $$; ${daemon} & ${stubborn} & echo command $!; wait; exec sleep 60`
          const child = spawn("script", ["-qfc", `exec env ${terminalMark}=${mark} bash -c "$INSIDE"`, "/dev/null"], {
            detached: true,
            stdio: ["pipe", "pipe", "ignore"],
            env: { PATH: process.env["PATH"], SHELL: "/bin/sh", INSIDE: inside }
          })
          let output = ""
          child.stdout.on("data", (data: Buffer) => {
            output += data.toString()
            const pids = Object.fromEntries(
              [...output.matchAll(/(\w+) (\d+)\r?\n/g)].map(([, name, pid]) => [name, Number(pid)])
            )
            const { command, daemon, shell } = pids
            if (command === undefined || daemon === undefined || shell === undefined) return
            resolve({ shell, command, daemon, close: () => child.kill("SIGKILL") })
          })
        })
    ),
    ({ close, command, daemon, shell }) =>
      Effect.sync(() => {
        close()
        for (const pid of [shell, command, daemon]) if (lives(pid)) process.kill(pid, "SIGKILL")
      })
  )

describe("Interruption", () => {
  const answers: ReadonlyArray<
    readonly [string, Status | "gone", AgentServerApi["shell"], "confirmed" | "unconfirmed"]
  > = [
    ["rests and nothing is left", "paused", says("0\n"), "confirmed"],
    ["is gone", "gone", says("0\n"), "confirmed"],
    ["rests, and the server's shell cannot be used", "paused", () => Effect.fail(failure("missing")), "confirmed"],
    ["rests, on a system that does not tell what is left", "paused", says(""), "confirmed"],
    ["rests, and a command cannot be ended", "paused", says("1\n"), "unconfirmed"],
    ["goes on", "running", says("0\n"), "unconfirmed"],
    ["is being deleted", "deleting", says("0\n"), "unconfirmed"],
    ["is in a status that nobody knows", "unknown", says("0\n"), "unconfirmed"]
  ]
  for (const [name, status, shell, expected] of answers) {
    it.live(`answers "${expected}" when the conversation ${name}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Interruption.stop(serverWith(status, shell), randomUUID(), 150), expected)
      })
    )
  }

  it.live.skipIf(!existsSync("/proc/self/environ") || !existsSync("/usr/bin/script"))(
    "ends what an interrupt left of a conversation, keeps its terminal, and touches no other",
    () =>
      Effect.gen(function* () {
        const conversation = randomUUID()
        const own = yield* terminal(conversation)
        const other = yield* terminal(randomUUID())
        const answer = yield* Interruption.stop(serverWith("paused", realShell), conversation, 10_000)
        assert.strictEqual(answer, "confirmed")
        yield* Scene.eventually("the end of the commands", () => !lives(own.command) && !lives(own.daemon))
        assert.isTrue(lives(own.shell))
        assert.isTrue(lives(other.command) && lives(other.daemon))
      })
  )
})
