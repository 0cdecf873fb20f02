// The benchmark: `npm run bench`, or `npm run bench -- [--json] [SECTION...]`. docs/performance.md says what it measures.
import { availableParallelism, loadavg } from "node:os"
import * as CommandLine from "./CommandLine.ts"
import * as Memory from "./Memory.ts"
import * as OpenHandsDecode from "./OpenHandsDecode.ts"
import * as OpenHandsLoad from "./OpenHandsLoad.ts"
import * as OpenHandsMemory from "./OpenHandsMemory.ts"
import * as OpenHandsReconnect from "./OpenHandsReconnect.ts"
import * as PollAbsorption from "./PollAbsorption.ts"
import * as Report from "./Report.ts"
import * as SlotTurnaround from "./SlotTurnaround.ts"
import * as StartUp from "./StartUp.ts"
import * as WorkerEvents from "./WorkerEvents.ts"

const sections: { readonly [name: string]: () => Report.Section | Promise<Report.Section> } = {
  turnaround: SlotTurnaround.measure,
  poll: PollAbsorption.measure,
  events: WorkerEvents.measure,
  memory: Memory.measure,
  startup: StartUp.measure,
  help: CommandLine.measure,
  "openhands-decode": OpenHandsDecode.measure,
  "openhands-load": OpenHandsLoad.measure,
  "openhands-reconnect": OpenHandsReconnect.measure,
  "openhands-memory": OpenHandsMemory.measure
}

const words = process.argv.slice(2)
const asJson = words.includes("--json")
const wanted = words.filter((word) => word !== "--json")
const unknown = wanted.filter((word) => !Object.hasOwn(sections, word))
if (unknown.length > 0) {
  process.stderr.write(`no such section: ${unknown.join(", ")}; there are ${Object.keys(sections).join(", ")}\n`)
  process.exit(2)
}

const environment: Report.Environment = {
  node: process.versions.node,
  processors: availableParallelism(),
  load: loadavg()[0] ?? Number.NaN
}
if (!asJson) process.stdout.write(`${Report.renderEnvironment(environment)}\n`)

const done: Array<Report.Section> = []
for (const [name, measure] of Object.entries(sections)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const section = await measure()
  done.push(section)
  if (!asJson) process.stdout.write(`${Report.render(section)}\n`)
}

if (asJson) process.stdout.write(`${Report.toJson(environment, done)}\n`)
else {
  const missed = Report.missed(done)
  process.stdout.write(missed.length === 0 ? "Every target is met.\n" : `Missed: ${missed.join("; ")}\n`)
}
