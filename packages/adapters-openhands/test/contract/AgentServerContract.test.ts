/**
 * The contract of the agent-server, held by the fake and by the real server alike, so that the fake cannot drift. The
 * real half needs a Python that has the server's packages: `OPENSYMPHONY_OPENHANDS_PYTHON=/path/to/python`.
 */
import { afterAll, beforeAll, describe, it } from "@effect/vitest"
import { creationCases } from "./CreationCases.ts"
import { eventCases } from "./EventCases.ts"
import * as FakeSubject from "./FakeSubject.ts"
import * as RealSubject from "./RealSubject.ts"
import { restartCases } from "./RestartCases.ts"
import { runCases } from "./RunCases.ts"
import { stopCases } from "./StopCases.ts"
import type { Subject } from "./Subject.ts"
import { switchCases } from "./SwitchCases.ts"

const suites = {
  conversations: creationCases,
  runs: runCases,
  events: eventCases,
  stops: stopCases,
  restarts: restartCases,
  switches: switchCases
}

const hold = (start: () => Promise<Subject>, timeout: number) => {
  let subject: Subject
  beforeAll(async () => {
    subject = await start()
  }, 150_000)
  afterAll(() => subject.close())
  for (const [name, cases] of Object.entries(suites)) {
    describe(name, () => {
      for (const { name, run } of cases) it(name, { timeout }, () => run(subject))
    })
  }
}

describe("the fake agent-server", () => hold(FakeSubject.start, 30_000))

const python = process.env["OPENSYMPHONY_OPENHANDS_PYTHON"]

if (python === undefined || python === "") {
  const reason = "SKIPPED: set OPENSYMPHONY_OPENHANDS_PYTHON to a Python that has openhands-agent-server"
  process.stderr.write(`The contract of the agent-server against the real server was ${reason}.\n`)
  describe.skip(`the real agent-server (${reason})`, () => {
    it("holds the contract", () => undefined)
  })
} else {
  describe(`the real agent-server of ${python}`, () => hold(() => RealSubject.start(python), 90_000))
}
