import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer } from "effect"
import { mkdtempSync, realpathSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeProcessProbe from "../../src/process/NodeProcessProbe.ts"
import { ProcessProbe } from "../../src/process/ProcessProbe.ts"
import * as ShellProcess from "../../src/process/ShellProcess.ts"
import { marker, sleeping } from "./Processes.ts"

const platform = NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer))
const cwd = realpathSync(tmpdir())
const environment = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" }

const run = (script: string, options: Partial<ShellProcess.ShellRequest> = {}) =>
  ShellProcess.run({ script, cwd, environment, timeoutMs: 10_000, killAfterMs: 100, ...options }).pipe(
    Effect.provide(platform)
  )

const collecting = (script: string, options: Partial<ShellProcess.ShellRequest> = {}) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    return run(script, {
      onLines: (stream, read) => Effect.sync(() => lines.push(...read.map((line) => `${stream}:${line}`))),
      ...options
    }).pipe(Effect.map((result) => ({ result, lines })))
  })

/** Repeats a look at real processes until it shows what is expected, for at most two seconds. */
const eventually = (look: () => boolean) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 100; tries++) {
      if (look()) return true
      yield* Effect.sleep(20)
    }
    return false
  })

describe("the result", () => {
  it.live("tells the exit code", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run("echo one; exit 7"), {
        exitCode: 7,
        signal: null,
        timedOut: false,
        outputTail: "one\n",
        groupGone: true
      })
    })
  )

  it.live("tells the signal that ended the process", () =>
    Effect.gen(function* () {
      const result = yield* run("kill -KILL $$")
      assert.deepStrictEqual([result.exitCode, result.signal, result.timedOut], [null, "SIGKILL", false])
    })
  )

  it.live("keeps the newest output of both streams, at most the bound", () =>
    Effect.gen(function* () {
      const { outputTail } = yield* run("yes | head -c 100000; echo 'the end' >&2", { timeoutMs: 5_000 })
      assert.isAtMost(outputTail.length, ShellProcess.maxTailLength)
      assert.isAbove(outputTail.length, ShellProcess.maxTailLength - 10)
      assert.include(outputTail, "the end\n")
    })
  )

  it.live("does not cut a character in half", () =>
    Effect.gen(function* () {
      const { outputTail } = yield* run("for i in $(seq 1 3000); do printf '💥💥'; done; printf x")
      assert.match(outputTail, /^(💥)+x$/u)
    })
  )
})

describe("the start", () => {
  it.live("gives the script exactly the environment of the request", () =>
    Effect.gen(function* () {
      const { outputTail } = yield* run("env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort", {
        environment: { ...environment, ONLY: "this one" }
      })
      assert.deepStrictEqual(outputTail.trim().split("\n"), ["ONLY=this one", `PATH=${environment.PATH}`])
    })
  )

  it.live("runs in the directory of the request", () =>
    Effect.gen(function* () {
      const directory = mkdtempSync(join(cwd, "shell process "))
      assert.strictEqual((yield* run("pwd -P", { cwd: directory })).outputTail, `${directory}\n`)
    })
  )

  it.live("leads a process group of its own", () =>
    Effect.gen(function* () {
      let pid = 0
      const { outputTail } = yield* run("ps -o pgid= -p $$", {
        onStart: (started) => Effect.sync(() => (pid = started))
      })
      assert.strictEqual(Number(outputTail.trim()), pid)
    })
  )

  it.live("does not run a login shell", () =>
    Effect.gen(function* () {
      const home = mkdtempSync(join(cwd, "home-"))
      writeFileSync(join(home, ".profile"), "echo profile was read\n")
      assert.strictEqual((yield* run("true", { environment: { ...environment, HOME: home } })).outputTail, "")
    })
  )

  it.live("names a directory that does not exist", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run("true", { cwd: "/does/not/exist" }))
      assert.strictEqual(error.problem, "directory")
      assert.include(error.message, "/does/not/exist")
    })
  )

  it.live("refuses a file as directory", () =>
    Effect.gen(function* () {
      const file = join(mkdtempSync(join(cwd, "file-")), "file")
      writeFileSync(file, "")
      assert.strictEqual((yield* Effect.flip(run("true", { cwd: file }))).problem, "directory")
    })
  )

  it.live("says that there is no shell", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run("true", { environment: { PATH: "/does/not/exist" } }))
      assert.strictEqual(error.problem, "system")
    })
  )

  it.live("says that the script is too long", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run(`: ${"x".repeat(16 * 1024 * 1024)}`))
      assert.strictEqual(error.problem, "request")
      assert.isBelow(error.message.length, 300)
    })
  )

  it.live("keeps values out of the error about a variable that no process can have", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run("true", { environment: { ...environment, TOKEN: "secret\0value" } }))
      assert.strictEqual(error.problem, "request")
      assert.include(error.message, "TOKEN")
      assert.notInclude(error.message, "secret")
    })
  )
})

describe("standard input", () => {
  it.live("is written whole and closed", () =>
    Effect.gen(function* () {
      const { outputTail } = yield* run("wc -c", { stdin: "ü".repeat(1024 * 1024) })
      assert.strictEqual(Number(outputTail), 2 * 1024 * 1024)
    })
  )

  it.live("may be left unread", () =>
    Effect.gen(function* () {
      const result = yield* run("exec 0<&-; sleep 0.05; echo done", { stdin: "x".repeat(1024 * 1024) })
      assert.deepStrictEqual([result.exitCode, result.outputTail], [0, "done\n"])
    })
  )

  it.live("is empty when there is none", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* run("cat; echo end")).outputTail, "end\n")
    })
  )

  it.live("is not even looked at by a script whose start was never announced to the end", () =>
    Effect.gen(function* () {
      const result = yield* run("echo ran", { timeoutMs: 100, onStart: () => Effect.never })
      assert.deepStrictEqual([result.timedOut, result.outputTail], [true, ""])
    })
  )

  it.live("is written after the start was announced", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      yield* run("read line; echo got $line", {
        stdin: "text\n",
        onStart: () =>
          Effect.andThen(
            Effect.sleep(50),
            Effect.sync(() => events.push("announced"))
          ),
        onLines: (_, read) => Effect.sync(() => events.push(...read))
      })
      assert.deepStrictEqual(events, ["announced", "got text"])
    })
  )
})

describe("lines", () => {
  it.live("come in order, with their stream, without line breaks", () =>
    Effect.gen(function* () {
      const { lines } = yield* collecting("printf 'a\\r\\n\\nb'; sleep 0.2; echo c >&2")
      assert.deepStrictEqual(lines, ["stdout:a", "stdout:", "stderr:c", "stdout:b"])
    })
  )

  it.live("survive a character that is split between two writes", () =>
    Effect.gen(function* () {
      const { lines } = yield* collecting("printf 'caf\\303'; sleep 0.2; printf '\\251\\n'")
      assert.deepStrictEqual(lines, ["stdout:café"])
    })
  )

  it.live("are cut at the bound, and the next one is whole again", () =>
    Effect.gen(function* () {
      const { lines } = yield* collecting("head -c 300000 /dev/zero | tr '\\0' x; echo; echo next")
      assert.deepStrictEqual(
        lines.map((line) => line.length),
        ["stdout:".length + ShellProcess.maxLineLength, "stdout:next".length]
      )
    })
  )

  it.live("wait for their handler: a flood is read no faster", () =>
    Effect.gen(function* () {
      let handled = 0
      const result = yield* run("yes", {
        timeoutMs: 150,
        onLines: () =>
          Effect.andThen(
            Effect.sleep(1),
            Effect.sync(() => handled++)
          )
      })
      assert.isTrue(result.timedOut)
      assert.isBelow(handled, 200)
    })
  )

  it.live("fail the run, and end the process, when their handler dies", () =>
    Effect.gen(function* () {
      const name = marker()
      const exit = yield* Effect.exit(
        run(`echo line; sleep ${name}`, { timeoutMs: null, onLines: () => Effect.die("bug") })
      )
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.deepStrictEqual(sleeping(name), [])
    })
  )
})

describe("a flood", () => {
  it.live("of 200 MB without a line break leaves only the tail", () =>
    Effect.gen(function* () {
      const result = yield* run("head -c 200000000 /dev/zero; printf end")
      assert.deepStrictEqual([result.exitCode, result.timedOut], [0, false])
      assert.strictEqual(result.outputTail.length, ShellProcess.maxTailLength)
      assert.isTrue(result.outputTail.endsWith("end"))
    })
  )
})

describe("the deadline", () => {
  it.live("ends a script that hangs, with its children", () =>
    Effect.gen(function* () {
      const name = marker()
      const result = yield* run(`echo before; sleep ${name} & wait`, { timeoutMs: 100 })
      assert.deepStrictEqual([result.timedOut, result.outputTail, result.groupGone], [true, "before\n", true])
      assert.deepStrictEqual(sleeping(name), [])
    })
  )

  it.live("kills what ignores TERM", () =>
    Effect.gen(function* () {
      const name = marker()
      const result = yield* run(`trap '' TERM; sleep ${name} & while :; do sleep 0.01; done`, { timeoutMs: 100 })
      assert.deepStrictEqual([result.timedOut, result.exitCode, result.signal], [true, null, "SIGKILL"])
      assert.deepStrictEqual(sleeping(name), [])
    })
  )

  it.live("lets a script that heeds TERM clean up", () =>
    Effect.gen(function* () {
      const result = yield* run("trap 'echo cleaned; exit 3' TERM; echo up; while :; do sleep 0.01; done", {
        timeoutMs: 100,
        killAfterMs: 2_000
      })
      assert.deepStrictEqual([result.timedOut, result.exitCode], [true, 3])
      assert.match(result.outputTail, /^up\n[^]*cleaned\n$/)
    })
  )

  it.live("holds for a background child that keeps the pipe after the script has exited", () =>
    Effect.gen(function* () {
      const name = marker()
      const result = yield* run(`sleep ${name} & echo started`, { timeoutMs: 200 })
      assert.deepStrictEqual([result.timedOut, result.exitCode, result.outputTail], [true, 0, "started\n"])
      assert.deepStrictEqual(sleeping(name), [])
    })
  )

  it.live("is not held up by a handler that never returns", () =>
    Effect.gen(function* () {
      const result = yield* run("yes", { timeoutMs: 100, onLines: () => Effect.never })
      assert.deepStrictEqual([result.timedOut, result.groupGone], [true, true])
    })
  )

  it.live("holds for a process that left the group and keeps the pipe", () =>
    Effect.gen(function* () {
      const name = marker()
      const detach = `require("node:child_process").spawn("sleep", ["${name}"], { detached: true, stdio: "inherit" }).unref()`
      const result = yield* run(`'${process.execPath}' -e '${detach}'`, { timeoutMs: 500 })
      const [escaped = 0] = sleeping(name)
      if (escaped !== 0) process.kill(escaped, "SIGKILL")
      assert.deepStrictEqual([result.timedOut, result.groupGone], [true, true])
      assert.notStrictEqual(escaped, 0)
    })
  )
})

describe("what is left after the script", () => {
  it.live("is waited for while it writes to the pipe", () =>
    Effect.gen(function* () {
      const result = yield* run("(sleep 0.1; echo late) & echo early")
      assert.deepStrictEqual([result.outputTail, result.timedOut], ["early\nlate\n", false])
    })
  )

  it.live("is ended when it holds no pipe, also after success", () =>
    Effect.gen(function* () {
      const name = marker()
      const result = yield* run(`sleep ${name} >/dev/null 2>&1 & exit 0`)
      assert.deepStrictEqual([result.exitCode, result.timedOut, result.groupGone], [0, false, true])
      assert.deepStrictEqual(sleeping(name), [])
    })
  )

  it.live("keeps the pipe only for a short grace when there is no deadline", () =>
    Effect.gen(function* () {
      const name = marker()
      const result = yield* run(`sleep ${name} & exit 0`, { timeoutMs: null })
      assert.deepStrictEqual([result.exitCode, result.timedOut], [0, false])
      assert.deepStrictEqual(sleeping(name), [])
    })
  )
})

describe("interruption", () => {
  it.live("ends the whole group before it returns, whoever ignores TERM", () =>
    Effect.gen(function* () {
      const name = marker()
      const up = yield* Deferred.make<void>()
      const fiber = yield* run(`trap '' TERM; sleep ${name} & echo up; while :; do sleep 0.01; done`, {
        timeoutMs: null,
        onLines: () => Deferred.succeed(up, undefined)
      }).pipe(Effect.forkChild)
      yield* Deferred.await(up)
      assert.isTrue(yield* eventually(() => sleeping(name).length === 1))
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(sleeping(name), [])
    })
  )

  it.live("ends it while its start is being announced", () =>
    Effect.gen(function* () {
      const name = marker()
      const started = yield* Deferred.make<void>()
      const fiber = yield* run(`sleep ${name}`, {
        onStart: () => Effect.andThen(Deferred.succeed(started, undefined), Effect.never)
      }).pipe(Effect.forkChild)
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(sleeping(name), [])
    })
  )
})

describe("a group that cannot be ended", () => {
  it.live("is told, and does not hold up the run", () =>
    Effect.gen(function* () {
      const name = marker()
      const stubborn = Layer.effect(
        ProcessProbe,
        Effect.map(ProcessProbe, (probe) =>
          ProcessProbe.of({ ...probe, signalGroup: () => Effect.void, endGroup: () => Effect.succeed(false) })
        )
      ).pipe(Layer.provideMerge(platform))
      const result = yield* ShellProcess.run({
        script: `exec sleep ${name}`,
        cwd,
        environment,
        timeoutMs: 100,
        killAfterMs: 10
      }).pipe(Effect.provide(stubborn))
      const [survivor = 0] = sleeping(name)
      if (survivor !== 0) process.kill(survivor, "SIGKILL")
      assert.notStrictEqual(survivor, 0)
      assert.deepStrictEqual([result.groupGone, result.timedOut, result.exitCode], [false, true, null])
    })
  )
})
