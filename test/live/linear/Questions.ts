// What is not known for certain until a key is there: limits, costs, which spellings Linear takes. Reads only.
import * as LinearTracker from "@opensymphony/adapters-linear/LinearTracker"
import * as Documents from "@opensymphony/adapters-linear/read/Documents"
import { TrackerBackend } from "@opensymphony/core/ports/TrackerBackend"
import { Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import type { Wire, WireAnswer } from "./Wire.ts"

export interface Answered {
  readonly question: string
  /** INFO: no answer is wrong. */
  readonly verdict: "OK" | "INFO" | "FAIL"
  readonly facts: ReadonlyArray<string>
}

interface ProjectFacts {
  readonly id: string
  readonly name: string
  readonly slugId: string
  readonly url: string
}

const rateHeaders = ["x-complexity", "x-ratelimit-requests", "x-ratelimit-complexity", "x-ratelimit-endpoint"]

const limitsOf = ({ headers, status }: WireAnswer): ReadonlyArray<string> => [
  `status ${status}`,
  ...[...headers]
    .filter(([name]) => rateHeaders.some((known) => name.startsWith(known)))
    .map(([name, value]) => `${name}: ${value}`)
]

const nodesOf = (answer: WireAnswer, field: string): ReadonlyArray<Record<string, unknown>> => {
  const connection = answer.data?.[field]
  if (typeof connection !== "object" || connection === null || !("nodes" in connection)) return []
  return Array.isArray(connection.nodes) ? connection.nodes : []
}

const told = (answer: WireAnswer, found: string): string =>
  answer.errors.length > 0 ? `status ${answer.status}, ${answer.errors.join("; ")}` : found

const costOf = (answer: WireAnswer): string => `x-complexity ${answer.headers.get("x-complexity") ?? "missing"}`

const chooseProject = async (wire: Wire, wanted: string | null): Promise<ProjectFacts | null> => {
  const fields = "id name slugId url"
  if (wanted !== null) {
    const key = /\/project\/([^/?#]+)/.exec(wanted)?.[1] ?? wanted
    const answer = await wire.ask(`query($id: String!) { project(id: $id) { ${fields} } }`, { id: key })
    return (answer.data?.["project"] as ProjectFacts | undefined) ?? null
  }
  const answer = await wire.ask(`{ projects(first: 1) { nodes { ${fields} } } }`)
  return (nodesOf(answer, "projects")[0] as unknown as ProjectFacts | undefined) ?? null
}

const limits = async (wire: Wire): Promise<Answered> => {
  const answer = await wire.ask("{ viewer { id app } }")
  const hasHeaders = answer.headers.has("x-ratelimit-requests-limit")
  return {
    question: "Is the key accepted, and does the answer say what is left of the budget?",
    verdict: answer.errors.length > 0 ? "FAIL" : hasHeaders ? "OK" : "INFO",
    facts: [...limitsOf(answer), ...answer.errors]
  }
}

const spellings = async (wire: Wire, project: ProjectFacts): Promise<Answered> => {
  const slug = /\/project\/([^/?#]+)/.exec(project.url)?.[1] ?? project.slugId
  const filter = "query($slug: String!) { projects(filter: { slugId: { eq: $slug } }) { nodes { id } } }"
  const byId = "query($id: String!) { project(id: $id) { id } }"
  const facts: Array<string> = []
  for (const [name, value] of [
    ["bare slug id", project.slugId],
    ["end of the address", slug]
  ] as const) {
    const filtered = await wire.ask(filter, { slug: value })
    facts.push(`filter slugId.eq with the ${name}: ${told(filtered, `${nodesOf(filtered, "projects").length} found`)}`)
    const direct = await wire.ask(byId, { id: value })
    facts.push(`project(id:) with the ${name}: ${told(direct, "found")}`)
  }
  return { question: "Which spellings of a project does Linear take?", verdict: "INFO", facts }
}

const manyIds = async (wire: Wire): Promise<Answered> => {
  const document = "query($ids: [ID!]!) { issues(filter: { id: { in: $ids } }, first: 250) { nodes { id } } }"
  const facts: Array<string> = []
  for (const count of [50, 100, 250]) {
    const answer = await wire.ask(document, { ids: Array.from({ length: count }, () => randomUUID()) })
    facts.push(`${count} unknown ids: ${told(answer, `${nodesOf(answer, "issues").length} found, ${costOf(answer)}`)}`)
  }
  const odd = await wire.ask(document, { ids: [randomUUID(), "no id"] })
  facts.push(`a malformed id among others: ${told(odd, `${nodesOf(odd, "issues").length} found`)}`)
  const ours = facts[0]?.includes("0 found") === true
  return {
    question: "Do ids that nobody can see fail a query, and how many may there be?",
    verdict: ours ? "OK" : "FAIL",
    facts
  }
}

const costs = async (wire: Wire, project: ProjectFacts): Promise<Answered> => {
  const filter = { project: { id: { eq: project.id } } }
  const candidates = await wire.ask(Documents.issuesDocument, { filter, first: Documents.pageSize })
  const ids = nodesOf(candidates, "issues").flatMap(({ id }) => (typeof id === "string" ? [id] : []))
  const refresh = await wire.ask(Documents.issuesByIdsDocument, { ids, first: Documents.pageSize })
  const bad = [...candidates.errors, ...refresh.errors]
  return {
    question: "What do a page of candidates and a refresh cost?",
    verdict: bad.length > 0 ? "FAIL" : "OK",
    facts: [
      `candidates: ${told(candidates, `${ids.length} issues, ${costOf(candidates)}`)}`,
      `refresh: ${told(refresh, `${nodesOf(refresh, "issues").length} issues, ${costOf(refresh)}`)}`
    ]
  }
}

/** The adapter itself, as a run uses it. */
const tracker = async (wire: Wire, project: ProjectFacts): Promise<Answered> => {
  const layer = LinearTracker.layer({
    kind: "linear",
    endpoint: wire.endpoint,
    apiKey: Redacted.make(wire.key),
    projectSlug: project.url,
    activeStates: ["Todo", "In Progress"],
    terminalStates: ["Done", "Canceled", "Duplicate"],
    requiredLabels: [],
    assignee: null,
    webhook: null,
    workpadMarkers: [],
    rawQueries: false
  })
  const poll = TrackerBackend.pipe(
    Effect.flatMap(({ candidateIssues }) => candidateIssues),
    Effect.provide(layer),
    Effect.match({
      onFailure: ({ message }) => ({ ok: false, fact: message }),
      onSuccess: ({ issues, malformed }) => ({
        ok: malformed.length === 0,
        fact: `${issues.length} candidates, ${malformed.length} that could not be read`
      })
    })
  )
  const { fact, ok } = await Effect.runPromise(poll)
  return { question: "Does the adapter poll this project?", verdict: ok ? "OK" : "FAIL", facts: [fact] }
}

/** Asks everything, one after the other. */
export const ask = async (wire: Wire, wanted: string | null): Promise<ReadonlyArray<Answered>> => {
  const first = await limits(wire)
  if (first.verdict === "FAIL") return [first]
  const project = await chooseProject(wire, wanted)
  const chosen: Answered = {
    question: "Which project is asked about?",
    verdict: project === null ? "FAIL" : "INFO",
    facts: [project === null ? `none is ${wanted ?? "visible to this key"}` : project.url]
  }
  if (project === null) return [first, chosen]
  return [
    first,
    chosen,
    await spellings(wire, project),
    await manyIds(wire),
    await costs(wire, project),
    await tracker(wire, project)
  ]
}
