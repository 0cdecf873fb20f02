// An orchestrator inside a program of your own, in plain async TypeScript. Run it: node promise.ts
import { mkdtemp, readFile, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type PlainIssue, startOrchestrator } from "@opensymphony/cli"

// Your tracker: here three tickets in memory. The second waits for the first.
const tickets = new Map<string, PlainIssue>()
const put = (ticket: PlainIssue) => tickets.set(ticket.id, ticket)
put({ id: "1", identifier: "SHOP-1", title: "Write the price list", state: "Todo", priority: 1 })
put({
  id: "2",
  identifier: "SHOP-2",
  title: "Print the price list",
  state: "Todo",
  get blockedBy() {
    return [{ id: "1" as never, identifier: "SHOP-1", state: tickets.get("1")?.state ?? null, note: null }]
  }
})
put({ id: "3", identifier: "SHOP-3", title: "Sweep the floor", state: "Todo", priority: 3 })

await using orchestrator = await startOrchestrator({
  workspaceRoot: await mkdtemp(join(tmpdir(), "opensymphony-")),
  prompt: "Do this: {{ issue.title }}{% if attempt %} (attempt {{ attempt }}){% endif %}",
  policy: { pollIntervalMs: 200, maxConcurrentAgents: 2, maxTurns: 3 },
  remove: "never",
  tracker: {
    candidateIssues: () => [...tickets.values()].filter(({ state }) => state === "Todo"),
    issuesByIds: (ids) => ids.flatMap((id) => tickets.get(id) ?? [])
  },
  runtime: {
    // Your agent: one turn. It works in a directory of its own, and moves its ticket on when it is done.
    async runTurn({ issue, prompt, workspacePath, activity, usage, signal }) {
      activity("writing")
      await writeFile(join(workspacePath, "result.txt"), `${prompt}\n`, { signal })
      usage({ inputTokens: prompt.length, outputTokens: 12 })
      put({ ...issue, state: "Done" })
      return { summary: await readFile(join(workspacePath, "result.txt"), "utf8") }
    }
  },
  log: (line) => console.error(line)
})

const unsubscribe = orchestrator.subscribe(({ counts, slots }) =>
  console.log(`${slots.taken} of ${slots.limit} at work, ${counts.unclaimed} waiting`)
)
await orchestrator.refresh()
await orchestrator.idle()
unsubscribe()

for (const { identifier, state } of tickets.values()) console.log(`${identifier}: ${state}`)
if ([...tickets.values()].some(({ state }) => state !== "Done")) process.exitCode = 1
