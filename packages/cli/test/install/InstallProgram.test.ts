import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import * as Installation from "@opensymphony/adapters-openhands/server/Installation"
import { Effect, Fiber, Layer, Schedule } from "effect"
import { TestConsole } from "effect/testing"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as InstallProgram from "../../src/install/InstallProgram.ts"
import * as FakePython from "./FakePython.ts"

const platform = NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer))

const run = (machine: FakePython.Machine, options: Partial<InstallProgram.InstallOptions> = {}) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const print = (line: string) => void lines.push(line)
    const request = { python: null, directory: null, print, ...options }
    const status = yield* InstallProgram.install(request, machine.environment)
    return { status, progress: lines.join("\n"), result: (yield* TestConsole.logLines).join("\n") }
  }).pipe(Effect.provide(platform), Effect.provide(TestConsole.layer))

const fails = (machine: FakePython.Machine, options: Partial<InstallProgram.InstallOptions> = {}) =>
  Effect.map(Effect.flip(run(machine, options)), ({ message }) => message)

const directoryOf = ({ data }: FakePython.Machine): string => join(data, "opensymphony/openhands/1.57.0")

const isWhole = (directory: string) => Effect.provide(Installation.isWhole(Installation.at(directory)), platform)

const timesMade = ({ log }: FakePython.Machine): number => readFileSync(log, "utf8").split("venv ").length - 1

describe("opensymphony install openhands", () => {
  it.live("installs the pinned packages where a run finds them, and shows how", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3.12"])
      const { progress, result, status } = yield* run(machine)
      assert.strictEqual(status, 0)
      assert.strictEqual(result, `the OpenHands agent-server 1.57.0 is installed in ${directoryOf(machine)}`)
      assert.include(progress, "with pip and Python 3.12.4")
      assert.include(progress, "Collecting openhands-sdk")
      assert.include(
        readFileSync(machine.log, "utf8"),
        "openhands-agent-server==1.57.0 openhands-sdk==1.57.0 openhands-tools==1.57.0 openhands-workspace==1.57.0"
      )
      const found = yield* Effect.provide(Installation.find(machine.environment), platform)
      assert.strictEqual(found.python, `${directoryOf(machine)}/bin/python`)
    })
  )

  it.live("does nothing the second time", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3.12"])
      yield* run(machine)
      const { result } = yield* run(machine)
      assert.include(result, "is installed already")
      assert.strictEqual(timesMade(machine), 1)
    })
  )

  it.live("makes a broken installation anew", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3.12"])
      yield* run(machine)
      rmSync(join(directoryOf(machine), "bin/packages"))
      const { progress, result } = yield* run(machine)
      assert.include(progress, "is broken and is made anew")
      assert.include(progress, "No module named 'openhands'")
      assert.include(result, "is installed again")
      assert.isTrue(yield* isWhole(directoryOf(machine)))
    })
  )

  it.live("makes an unfinished installation anew", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3.12"], { FAKE_PIP: "fails" })
      yield* fails(machine)
      assert.isFalse(yield* isWhole(directoryOf(machine)))
      const { progress } = yield* run({ ...machine, environment: { ...machine.environment, FAKE_PIP: "" } })
      assert.include(progress, "was not finished; it is made anew")
      assert.isTrue(yield* isWhole(directoryOf(machine)))
      assert.isFalse(existsSync(`${directoryOf(machine)}.unfinished`))
    })
  )

  it.live("says what pip said when it fails", () =>
    Effect.gen(function* () {
      const message = yield* fails(FakePython.make(["python3.12"], { FAKE_PIP: "fails" }))
      assert.include(message, "No matching distribution found for openhands-sdk")
      assert.include(message, "(status 1)")
    })
  )

  it.live("does not call an installation whole that holds other versions", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3.12"], { FAKE_PIP: "wrong" })
      assert.include(yield* fails(machine), "does not work: it holds other versions than 1.57.0")
      assert.isFalse(yield* isWhole(directoryOf(machine)))
    })
  )

  it.live("installs once when it is called twice at the same time", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3.12"])
      const both = yield* Effect.all([run(machine), run(machine)], { concurrency: 2 })
      assert.deepStrictEqual(
        both.map(({ status }) => status),
        [0, 0]
      )
      assert.strictEqual(timesMade(machine), 1)
    })
  )

  it.live("ends what it started when it is interrupted", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3.12"], { FAKE_PIP: "hangs" })
      const running = yield* Effect.forkChild(run(machine), { startImmediately: true })
      const file = join(directoryOf(machine), "bin/pip.pid")
      const pid = yield* Effect.suspend(() => {
        const text = existsSync(file) ? readFileSync(file, "utf8").trim() : ""
        return text === "" ? Effect.fail("not yet") : Effect.succeed(Number(text))
      }).pipe(Effect.retry(Schedule.spaced("25 millis").pipe(Schedule.upTo({ times: 400 }))))
      yield* Fiber.interrupt(running)
      assert.throws(() => process.kill(pid, 0))
      assert.isFalse(yield* isWhole(directoryOf(machine)))
    })
  )

  it.live("shows no password of an index", () =>
    Effect.gen(function* () {
      const secret = "index-password-1"
      const machine = FakePython.make(["python3.12"], { FAKE_INDEX_USER: secret, INDEX_TOKEN: secret })
      const { progress } = yield* run(machine)
      assert.include(progress, "Collecting openhands-sdk")
      assert.notInclude(progress, secret)
    })
  )
})

describe("the Python of an installation", () => {
  it.live("may be one that is not first on the path", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3"], { FAKE_VERSION: "3.13.1" })
      assert.include((yield* run(machine)).progress, "Python 3.13.1")
    })
  )

  it.live("may be one that pyenv hides", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["elsewhere"])
      const bin = join(machine.environment["HOME"] ?? "", ".pyenv/versions/3.12.9/bin")
      mkdirSync(bin, { recursive: true })
      writeFileSync(join(bin, "python"), readFileSync(join(machine.environment["PATH"] ?? "", "elsewhere")), {
        mode: 0o755
      })
      assert.include((yield* run(machine)).progress, ".pyenv/versions/3.12.9/bin/python")
    })
  )

  it.live("is asked for when there is none that is new enough", () =>
    Effect.gen(function* () {
      const message = yield* fails(FakePython.make(["python3"], { FAKE_VERSION: "3.11.9" }))
      assert.match(message, /^neither uv nor a Python of version 3\.12 or later was found .* with --python$/)
    })
  )

  it.live("must be new enough when it is named", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["mine"], { FAKE_VERSION: "3.10.1" })
      const message = yield* fails(machine, { python: "mine" })
      assert.strictEqual(message, "mine is Python 3.10.1; name an interpreter of version 3.12 or later with --python")
    })
  )

  it.live("is refused when it is none", () =>
    Effect.gen(function* () {
      const message = yield* fails(FakePython.make([]), { python: "/nowhere/python" })
      assert.include(message, "/nowhere/python is no Python that can be run")
    })
  )
})

describe("a directory for an installation", () => {
  it.live("can be named, and is told how to use", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3.12"])
      const directory = join(machine.data, "mine")
      const { result } = yield* run(machine, { directory })
      assert.isTrue(yield* isWhole(directory))
      assert.include(result, `command: ["${directory}/bin/python","-m","openhands.agent_server"]`)
    })
  )

  it.live("is left alone when somebody else uses it", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3.12"])
      const directory = join(machine.data, "theirs")
      mkdirSync(directory, { recursive: true })
      writeFileSync(join(directory, "thesis.txt"), "ten years of work")
      assert.match(yield* fails(machine, { directory }), /theirs is not empty and was not made by this command/)
      assert.isTrue(existsSync(join(directory, "thesis.txt")))
    })
  )

  it.live("is needed where there is no home", () =>
    Effect.gen(function* () {
      const machine = FakePython.make(["python3.12"])
      const { PATH = "" } = machine.environment
      assert.include(yield* fails({ ...machine, environment: { PATH } }), "set HOME or XDG_DATA_HOME")
    })
  )
})

const realPython = process.env["OPENSYMPHONY_OPENHANDS_PYTHON"]

describe.skipIf(realPython === undefined)("a real environment (OPENSYMPHONY_OPENHANDS_PYTHON)", () => {
  it.live(
    "has the pinned server",
    () =>
      Effect.gen(function* () {
        const machine = FakePython.make([])
        const directory = join(machine.data, "real")
        mkdirSync(join(directory, "bin"), { recursive: true })
        writeFileSync(join(directory, "bin/python"), `#!/bin/sh\nexec ${realPython} "$@"\n`, { mode: 0o755 })
        writeFileSync(Installation.at(directory).marker, "1.57.0\n")
        const { result } = yield* run(
          { ...machine, environment: { ...machine.environment, PATH: process.env["PATH"] ?? "" } },
          { directory }
        )
        assert.include(result, "is installed already")
      }),
    180_000
  )
})
