/**
 * What a workflow's Linear settings mean: whose key it is, which project, which states of its teams, which assignee.
 * Asked once at the start, for the tracker, the agents' tools and `opensymphony doctor`.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CodePointOrder from "@opensymphony/core/domain/CodePointOrder"
import { TrackerConfigurationError } from "@opensymphony/core/ports/TrackerBackend"
import type { LinearTrackerSettings } from "@opensymphony/core/workflow/Workflow"
import { safeText } from "./api/SafeText.ts"
import type { LinearApiService } from "./LinearApi.ts"
import type { LinearError } from "./LinearError.ts"
import * as Connection from "./read/Connection.ts"
import * as Documents from "./read/Documents.ts"
import * as ProjectReference from "./read/ProjectReference.ts"
import * as StateMap from "./read/StateMap.ts"

export type { Team, WorkflowState } from "./read/StateMap.ts"

/** A user as messages name it. */
export interface Person {
  readonly id: string
  readonly name: string
}

export interface LinearProject {
  /** Whose key it is. */
  readonly viewer: Person
  readonly id: string
  readonly name: string
  readonly slugId: string
  readonly url: string
  /** Never empty. */
  readonly teams: ReadonlyArray<StateMap.Team>
  readonly activeStateIds: ReadonlyArray<string>
  readonly terminalStateIds: ReadonlyArray<string>
  /** Whose issues are worked on; null: anybody's. */
  readonly assignee: Person | null
  /** What works, and may still not be what is meant; one line each. */
  readonly warnings: ReadonlyArray<string>
}

export type ProjectSettings = Pick<
  LinearTrackerSettings,
  "projectSlug" | "activeStates" | "terminalStates" | "assignee"
>

const Project = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  slugId: Schema.String,
  url: Schema.String,
  archivedAt: Schema.optional(Schema.NullOr(Schema.String)),
  trashed: Schema.optional(Schema.NullOr(Schema.Boolean)),
  teams: Schema.Struct({
    nodes: Schema.Array(Schema.Struct({ id: Schema.String, key: Schema.String, name: Schema.String })),
    pageInfo: Schema.Struct({ hasNextPage: Schema.Boolean })
  })
})
type Project = typeof Project.Type

const Probe = Schema.Struct({
  viewer: Schema.Struct({ id: Schema.String, name: Schema.String }),
  projects: Schema.Struct({ nodes: Schema.Array(Project) })
})

const State = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  type: Schema.String,
  position: Schema.Finite,
  team: Schema.Struct({ id: Schema.String })
})

const States = Schema.Struct({
  workflowStates: Schema.Struct({ nodes: Schema.Array(State), pageInfo: Connection.PageInfo })
})

const Users = Schema.Struct({
  users: Schema.Struct({
    nodes: Schema.Array(
      Schema.Struct({ id: Schema.String, name: Schema.String, displayName: Schema.optional(Schema.String) })
    )
  })
})

const Listed = Schema.Struct({
  projects: Schema.Struct({ nodes: Schema.Array(Schema.Struct({ name: Schema.String, slugId: Schema.String })) })
})

const ByName = Schema.Struct({ project: Project })

const invalid = (message: string) => new TrackerConfigurationError({ message })

/** Everything here is a read without which nothing works. */
const read = <A>(
  api: LinearApiService,
  name: string,
  document: string,
  variables: Readonly<Record<string, unknown>>,
  result: Schema.Decoder<A>
) => api.call({ name, document, variables, result, purpose: "refresh", repeatable: true })

const shown = (text: string): string => JSON.stringify(safeText(text))

const unknownProject = Effect.fnUntraced(function* (api: LinearApiService, text: string, viewer: Person) {
  const { projects } = yield* read(api, "ProjectList", Documents.projectListDocument, {}, Listed)
  const names = projects.nodes.map(({ name, slugId }) => `${shown(name)} (${slugId})`)
  const there =
    names.length === 0 ? `the key of ${safeText(viewer.name)} sees no project at all` : `there are: ${names.join(", ")}`
  return invalid(
    `tracker.project_slug ${shown(text)} is no project that this key can see; ${there}; copy the project's address from Linear`
  )
})

const findProject = Effect.fnUntraced(function* (
  api: LinearApiService,
  text: string
): Effect.fn.Return<{ readonly viewer: Person; readonly project: Project }, LinearError | TrackerConfigurationError> {
  const reference = ProjectReference.parse(text)
  if (reference === null) {
    const example = "https://linear.app/your-workspace/project/your-project-0123456789ab"
    return yield* invalid(`tracker.project_slug ${shown(text)} is no project's address; write it as ${example}`)
  }
  const { filter, key } = reference
  const { projects, viewer } = yield* read(api, "ProjectProbe", Documents.projectProbeDocument, { filter }, Probe)
  const found =
    projects.nodes[0] ??
    (yield* read(api, "ProjectByName", Documents.projectDocument, { id: key }, ByName).pipe(
      Effect.map(({ project }) => project),
      Effect.catchTag(["LinearNotFound", "LinearInvalidArgument"], () => Effect.succeed(null))
    ))
  if (found === null) return yield* Effect.flatMap(unknownProject(api, text, viewer), Effect.fail)
  return { viewer, project: found }
})

const checkProject = ({ archivedAt, name, teams, trashed, url }: Project): TrackerConfigurationError | null => {
  const what = `the project ${shown(name)} (${url})`
  if (trashed === true)
    return invalid(`${what} is in Linear's trash; restore it, or name another in tracker.project_slug`)
  if (archivedAt) return invalid(`${what} is archived; restore it, or name another in tracker.project_slug`)
  if (teams.pageInfo.hasNextPage) return invalid(`${what} has more than 100 teams, which is more than can be read`)
  return teams.nodes.length === 0
    ? invalid(`${what} belongs to no team that this key can see; add one in Linear`)
    : null
}

const readTeams = Effect.fnUntraced(function* (api: LinearApiService, { teams }: Project) {
  const ids = teams.nodes.map(({ id }) => id)
  const pages = yield* Connection.walk("states", (after) =>
    Effect.map(
      read(api, "States", Documents.statesDocument, { teams: ids, after }, States),
      ({ workflowStates }) => workflowStates
    )
  )
  const states = pages.flatMap(({ nodes }) => nodes).sort((one, other) => one.position - other.position)
  const inOrder = [...teams.nodes].sort((one, other) => CodePointOrder.compare(one.key, other.key))
  return inOrder.map((team): StateMap.Team => ({
    ...team,
    states: states
      .filter((state) => state.team.id === team.id)
      .map(({ id, name, position, type }) => ({ id, name, type, position }))
  }))
})

const findAssignee = Effect.fnUntraced(function* (
  api: LinearApiService,
  assignee: string,
  viewer: Person
): Effect.fn.Return<Person, LinearError | TrackerConfigurationError> {
  const text = assignee.trim()
  if (text.toLowerCase() === "me") return viewer
  const isEmail = text.includes("@")
  if (!isEmail && !ProjectReference.isUuid(text)) {
    return yield* invalid(`tracker.assignee ${shown(text)} is neither \`me\`, nor an e-mail address, nor a user's UUID`)
  }
  const filter = isEmail ? { email: { eqIgnoreCase: text } } : { id: { eq: text.toLowerCase() } }
  const { users } = yield* read(api, "Users", Documents.usersDocument, { filter }, Users)
  const [user] = users.nodes
  if (user !== undefined) return { id: user.id, name: user.displayName ?? user.name }
  return yield* invalid(
    `tracker.assignee ${shown(text)} is nobody in this workspace; write \`me\`, the e-mail address or the UUID of a member`
  )
})

/** Asks Linear what the settings mean. A setting that cannot work is a configuration error that lists what there is. */
export const resolve = Effect.fnUntraced(function* (
  api: LinearApiService,
  settings: ProjectSettings
): Effect.fn.Return<LinearProject, LinearError | TrackerConfigurationError> {
  const { project, viewer } = yield* findProject(api, settings.projectSlug)
  const obstacle = checkProject(project)
  if (obstacle !== null) return yield* obstacle
  const teams = yield* readTeams(api, project)
  const states = StateMap.resolve(settings, teams)
  if (states.problems.length > 0) return yield* invalid(states.problems.join("; "))
  const { id, name, slugId, url } = project
  return {
    viewer,
    id,
    name,
    slugId,
    url,
    teams,
    activeStateIds: states.active,
    terminalStateIds: states.terminal,
    assignee: settings.assignee === null ? null : yield* findAssignee(api, settings.assignee, viewer),
    warnings: states.warnings
  }
})
