/**
 * Which tracker a workflow asks for, and its settings, in both dialects: an adapter's own keys may stand in `tracker` or
 * in `tracker.provider`. Keys of the other trackers are accepted without a look.
 */
import * as Redacted from "effect/Redacted"
import { entryOf, type ConfigMap } from "./ConfigNode.ts"
import * as EnvironmentReference from "./EnvironmentReference.ts"
import { nearestName } from "./NearestName.ts"
import * as Section from "./Section.ts"
import * as ValueReader from "./ValueReader.ts"
import { trackerKinds, type TrackerKind, type TrackerSettings, type WebhookSettings } from "./Workflow.ts"

const linearEndpoint = "https://api.linear.app/graphql"
const linearKeyVariable = "LINEAR_API_KEY"

const stateFields = {
  active_states: Section.withDefault(ValueReader.oneOrMoreNames, ["Todo", "In Progress"]),
  terminal_states: Section.withDefault(ValueReader.names, ["Done", "Closed", "Cancelled", "Canceled", "Duplicate"]),
  required_labels: Section.withDefault(ValueReader.labels, [])
}

const filesFields = { path: Section.optional(ValueReader.path) }

const webhookFields = {
  secret: Section.optional(ValueReader.secret),
  bind: Section.optional(ValueReader.listenAddress),
  path: Section.withDefault(ValueReader.webPath, "/linear")
}

/** Null after an error. */
const webhook: ValueReader.ValueReader<WebhookSettings | null> = (node, key, context) => {
  if (node._tag !== "Map") {
    context.problems.error(node.position, key, "must be a section with `secret:` and `bind:`; write them below it")
    return null
  }
  const { bind, path, secret } = Section.readSection(
    { name: key, position: node.position, map: node },
    webhookFields,
    context
  )
  const require = (name: string, remedy: string) => {
    if (entryOf(node, name) === null) context.problems.error(node.position, `${key}.${name}`, `is missing; ${remedy}`)
  }
  require("secret", "add `secret: $NAME` with the signing secret of the webhook")
  require("bind", "add `bind:` with the port to listen on, such as 8787")
  return secret === null || bind === null ? null : { secret, ...bind, path }
}

const linearFields = {
  endpoint: Section.withDefault(ValueReader.webAddress, linearEndpoint),
  api_key: Section.optional(ValueReader.secret),
  project_slug: Section.optional(ValueReader.referableText),
  assignee: Section.optional(ValueReader.referableText),
  webhook: Section.optional(webhook),
  workpad_markers: Section.withDefault(ValueReader.oneOrMoreNames, ["## Agent Harness Workpad", "## Codex Workpad"]),
  raw_queries: Section.withDefault(ValueReader.flag, false)
}

/** What an adapter adds to the keys of `tracker`. */
const ownFields: { readonly [Kind in TrackerKind]: Section.Fields } = { files: filesFields, linear: linearFields }

const allOwnKeys = Object.values(ownFields).flatMap(Object.keys)

const isTrackerKind = (kind: string): kind is TrackerKind => trackerKinds.some((known) => known === kind)

/** Lines that a user can put into the front matter as they are. */
const linesToAdd: { readonly [Kind in TrackerKind]: string } = {
  files: "`tracker: {kind: files, path: issues}`",
  linear: "`tracker: {kind: linear, project_slug: your-project, api_key: $LINEAR_API_KEY}`"
}

const remedy = (kinds: ReadonlyArray<TrackerKind>): string =>
  `there are: ${kinds.join(", ")}; write ${kinds.map((kind) => linesToAdd[kind]).join(", or ")}`

const kindOf = (
  section: Section.Section,
  kinds: ReadonlyArray<TrackerKind>,
  context: ValueReader.ReadContext
): TrackerKind | null => {
  const entry = entryOf(section.map, "kind")
  if (entry === null) {
    context.problems.error(section.position, "tracker.kind", `is missing; ${remedy(kinds)}`)
    return null
  }
  const kind = ValueReader.text(entry.value, "tracker.kind", context)?.trim().toLowerCase()
  if (kind === undefined) return null
  if (isTrackerKind(kind) && kinds.includes(kind)) return kind
  const nearest = nearestName(kind, kinds)
  const meant = nearest === null ? "" : `did you mean ${nearest}? `
  const problem = `this build has no tracker ${JSON.stringify(kind)}`
  context.problems.error(entry.value.position, "tracker.kind", `${problem}; ${meant}${remedy(kinds)}`)
  return null
}

/** Where an adapter's setting stands: both sections as one, with the full name of each key. */
interface OwnSection {
  readonly tracker: Section.Section
  readonly provider: Section.Section
}

const readOwn = <F extends Section.Fields>(
  { provider, tracker }: OwnSection,
  fields: F,
  context: ValueReader.ReadContext
): Section.Values<F> => {
  const inProvider: Array<string> = []
  for (const key of Object.keys(fields)) {
    const entry = entryOf(provider.map, key)
    if (entry === null) continue
    inProvider.push(key)
    if (entryOf(tracker.map, key) !== null) {
      const message = `is given twice, as ${Section.keyOf(tracker, key)} too; keep one`
      context.problems.error(entry.keyPosition, Section.keyOf(provider, key), message)
    }
  }
  const without = (map: ConfigMap): ConfigMap => ({
    ...map,
    entries: new Map([...map.entries].filter(([key]) => !inProvider.includes(key)))
  })
  const here = Section.readFields({ ...tracker, map: without(tracker.map) }, fields, context)
  const there = Section.readFields(provider, fields, context)
  return { ...here, ...Object.fromEntries(Object.entries(there).filter(([key]) => inProvider.includes(key))) }
}

const apiKeyOf = (
  given: Redacted.Redacted | null,
  own: OwnSection,
  context: ValueReader.ReadContext
): Redacted.Redacted | null => {
  if (given !== null) return given
  if (entryOf(own.tracker.map, "api_key") !== null || entryOf(own.provider.map, "api_key") !== null) return null
  const fallback = EnvironmentReference.lookUp(context.environment, linearKeyVariable)
  if (fallback !== null) return Redacted.make(fallback.trim(), { label: "tracker.api_key" })
  const message = `is missing; set the environment variable ${linearKeyVariable}, or add \`api_key: $NAME\``
  context.problems.error(own.tracker.position, "tracker.api_key", message)
  return null
}

const projectSlugOf = (given: string | null, own: OwnSection, context: ValueReader.ReadContext): string | null => {
  const isGiven = [own.tracker, own.provider].some(({ map }) => entryOf(map, "project_slug") !== null)
  if (given === null && !isGiven) {
    const message = "is missing; add `project_slug:` with the last part of the project's address"
    context.problems.error(own.tracker.position, "tracker.project_slug", message)
  }
  return given
}

/** Null after an error. */
export const read = (
  root: Section.Section,
  kinds: ReadonlyArray<TrackerKind>,
  context: ValueReader.ReadContext
): TrackerSettings | null => {
  const tracker = Section.sectionOf(root, "tracker", context)
  const provider = Section.sectionOf(tracker, "provider", context)
  const own: OwnSection = { tracker, provider }
  const kind = kindOf(tracker, kinds, context)
  Section.reportUnknownKeys(tracker, ["kind", ...Object.keys(stateFields), "provider", ...allOwnKeys], [], context)
  if (kind !== null) Section.reportUnknownKeys(provider, allOwnKeys, [], context)
  const states = Section.readFields(tracker, stateFields, context)
  const common = {
    activeStates: states.active_states,
    terminalStates: states.terminal_states,
    requiredLabels: states.required_labels
  }
  switch (kind) {
    case null:
      return null
    case "files": {
      const { path } = readOwn(own, filesFields, context)
      return { kind, ...common, path: path ?? EnvironmentReference.resolvePath(context.directory, "issues") }
    }
    case "linear": {
      const values = readOwn(own, linearFields, context)
      const apiKey = apiKeyOf(values.api_key, own, context)
      const projectSlug = projectSlugOf(values.project_slug, own, context)
      if (apiKey === null || projectSlug === null) return null
      return {
        kind,
        ...common,
        endpoint: values.endpoint,
        apiKey,
        projectSlug,
        assignee: values.assignee,
        webhook: values.webhook,
        workpadMarkers: values.workpad_markers,
        rawQueries: values.raw_queries
      }
    }
  }
}
