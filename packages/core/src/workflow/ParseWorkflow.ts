/**
 * From the text of a WORKFLOW.md to a {@link Workflow}: pure, total, and complete in what it reports. All errors and
 * warnings come from one pass, in the order of the file.
 */
import * as Result from "effect/Result"
import { defaults } from "../domain/Policy.ts"
import { emptyMap, entryOf, type ConfigMap } from "./ConfigNode.ts"
import { resolvePath, type Environment } from "./EnvironmentReference.ts"
import * as FrontMatter from "./FrontMatter.ts"
import * as Problem from "./Problem.ts"
import * as PromptTemplate from "./PromptTemplate.ts"
import * as RuntimeChoice from "./RuntimeChoice.ts"
import * as Section from "./Section.ts"
import * as ShellEnvironment from "./ShellEnvironment.ts"
import * as SourcePosition from "./SourcePosition.ts"
import * as TrackerChoice from "./TrackerChoice.ts"
import * as ValueReader from "./ValueReader.ts"
import { removalRules, type RuntimeKind, type TrackerKind, type Workflow } from "./Workflow.ts"
import * as YamlTree from "./YamlTree.ts"

export interface WorkflowSource {
  /** Absolute path of the file; problems name it, relative paths in the file are relative to its directory. */
  readonly path: string
  readonly text: string
  readonly environment: Environment
  /** What a leading `~` means; null when there is none. */
  readonly homeDirectory: string | null
  readonly systemTempDirectory: string
  /** The kinds that this build has an adapter for. */
  readonly knownRuntimeKinds: ReadonlyArray<RuntimeKind>
  readonly knownTrackerKinds: ReadonlyArray<TrackerKind>
}

export interface ParsedWorkflow {
  /** Null when a problem is an error. */
  readonly workflow: Workflow | null
  readonly problems: ReadonlyArray<Problem.Problem>
}

/** Characters of the file. Some of what is done with it takes the square of its length. */
const maxLength = 262_144

/** Silence of a command says less than silence of an agent that reports its events. */
const commandStallTimeoutMs = 1_800_000

const { integer, naturalNumber, positiveInteger } = ValueReader

const pollingFields = { interval_ms: Section.withDefault(positiveInteger, defaults.pollIntervalMs) }

const workspaceFields = {
  root: Section.optional(ValueReader.path),
  remove: Section.withDefault(ValueReader.oneOf(removalRules), "clean")
}

const hookFields = {
  after_create: Section.optional(ValueReader.script),
  before_run: Section.optional(ValueReader.script),
  after_run: Section.optional(ValueReader.script),
  before_remove: Section.optional(ValueReader.script),
  timeout_ms: Section.withDefault(positiveInteger, 60_000),
  env: Section.withDefault(ValueReader.variableNames, [])
}

const hookNames = ["after_create", "before_run", "after_run", "before_remove"] as const

const agentFields = {
  max_concurrent_agents: Section.withDefault(positiveInteger, defaults.maxConcurrentAgents),
  max_concurrent_agents_by_state: Section.withDefault(ValueReader.limitsByState, {}),
  max_turns: Section.withDefault(positiveInteger, defaults.maxTurns),
  max_retry_backoff_ms: Section.withDefault(positiveInteger, defaults.maxRetryBackoffMs),
  stall_timeout_ms: Section.optional(integer),
  turn_timeout_ms: Section.withDefault(integer, defaults.turnTimeoutMs),
  launch_timeout_ms: Section.withDefault(positiveInteger, defaults.launchTimeoutMs),
  handoff_grace_ms: Section.withDefault(naturalNumber, defaults.handoffGraceMs),
  stop_timeout_ms: Section.withDefault(positiveInteger, defaults.stopTimeoutMs),
  shutdown_timeout_ms: Section.withDefault(positiveInteger, defaults.shutdownTimeoutMs)
}

const limitFields = {
  max_failures: Section.withDefault(naturalNumber, defaults.maxFailures),
  max_idle_continuations: Section.withDefault(naturalNumber, defaults.maxIdleContinuations),
  max_runs_per_issue: Section.withDefault(naturalNumber, defaults.maxRunsPerIssue),
  max_tokens_per_issue: Section.withDefault(naturalNumber, defaults.maxTokensPerIssue),
  max_cost_usd_per_issue: Section.withDefault(ValueReader.amount, defaults.maxCostUsdPerIssue),
  max_tokens_per_day: Section.withDefault(naturalNumber, defaults.maxTokensPerDay),
  max_cost_usd_per_day: Section.withDefault(ValueReader.amount, defaults.maxCostUsdPerDay)
}

/** The one key of the Symphony specification's `codex` section that is not Codex's own. */
const codexFields = { stall_timeout_ms: Section.optional(integer) }

const sectionNames = ["tracker", "polling", "workspace", "hooks", "agent", "limits", "runtime", "command", "openhands"]
const foreignSectionNames = ["codex", "server"]

type Settings = Omit<Workflow, "prompt" | "path" | "directory">

const warnOfWithheldVariables = (
  section: Section.Section,
  keys: ReadonlyArray<string>,
  env: ReadonlyArray<string>,
  context: ValueReader.ReadContext
): void => {
  for (const key of keys) {
    const entry = entryOf(section.map, key)
    if (entry?.value._tag !== "Scalar" || typeof entry.value.value !== "string") continue
    for (const name of ShellEnvironment.withheld(entry.value.value, context.environment, env)) {
      const message = `mentions ${name}, which is set here but not passed on; add ${name} to ${section.name}.env`
      context.problems.warning(entry.keyPosition, Section.keyOf(section, key), message)
    }
  }
}

const readHooks = (root: Section.Section, context: ValueReader.ReadContext): Workflow["hooks"] => {
  const section = Section.sectionOf(root, "hooks", context)
  const values = Section.readSection(section, hookFields, context)
  warnOfWithheldVariables(section, hookNames, values.env, context)
  return {
    afterCreate: values.after_create,
    beforeRun: values.before_run,
    afterRun: values.after_run,
    beforeRemove: values.before_remove,
    timeoutMs: values.timeout_ms,
    env: values.env
  }
}

/** Codex's own section is accepted whatever it is; only the one key is looked at. */
const codexOf = (root: Section.Section): Section.Section => {
  const entry = entryOf(root.map, "codex")
  const map = entry?.value._tag === "Map" ? entry.value : emptyMap(root.position)
  return { name: "codex", position: map.position, map }
}

const readAgent = (
  root: Section.Section,
  kind: RuntimeKind | null,
  context: ValueReader.ReadContext
): Workflow["agent"] => {
  const values = Section.readSection(Section.sectionOf(root, "agent", context), agentFields, context)
  const codex = Section.readFields(codexOf(root), codexFields, context)
  const stallTimeoutMs = kind === "command" ? commandStallTimeoutMs : defaults.stallTimeoutMs
  return {
    maxConcurrentAgents: values.max_concurrent_agents,
    maxConcurrentAgentsByState: values.max_concurrent_agents_by_state,
    maxTurns: values.max_turns,
    maxRetryBackoffMs: values.max_retry_backoff_ms,
    stallTimeoutMs: values.stall_timeout_ms ?? codex.stall_timeout_ms ?? stallTimeoutMs,
    turnTimeoutMs: values.turn_timeout_ms,
    launchTimeoutMs: values.launch_timeout_ms,
    handoffGraceMs: values.handoff_grace_ms,
    stopTimeoutMs: values.stop_timeout_ms,
    shutdownTimeoutMs: values.shutdown_timeout_ms
  }
}

const readLimits = (root: Section.Section, context: ValueReader.ReadContext): Workflow["limits"] => {
  const values = Section.readSection(Section.sectionOf(root, "limits", context), limitFields, context)
  return {
    maxFailures: values.max_failures,
    maxIdleContinuations: values.max_idle_continuations,
    maxRunsPerIssue: values.max_runs_per_issue,
    maxTokensPerIssue: values.max_tokens_per_issue,
    maxCostUsdPerIssue: values.max_cost_usd_per_issue,
    maxTokensPerDay: values.max_tokens_per_day,
    maxCostUsdPerDay: values.max_cost_usd_per_day
  }
}

const warnOfServer = (root: Section.Section, context: ValueReader.ReadContext): void => {
  const entry = root.map.entries.get("server")
  if (entry === undefined) return
  const message = "is ignored, because this build has no control plane; remove the section to silence this"
  context.problems.warning(entry.keyPosition, "server", message)
}

/** Null after an error. */
const readSettings = (map: ConfigMap, source: WorkflowSource, context: ValueReader.ReadContext): Settings | null => {
  const root = Section.rootSection(map)
  Section.reportUnknownKeys(root, sectionNames, foreignSectionNames, context)
  warnOfServer(root, context)
  const tracker = TrackerChoice.read(root, source.knownTrackerKinds, context)
  const runtime = RuntimeChoice.read(root, source.knownRuntimeKinds, context)
  const polling = Section.readSection(Section.sectionOf(root, "polling", context), pollingFields, context)
  const workspace = Section.readSection(Section.sectionOf(root, "workspace", context), workspaceFields, context)
  const hooks = readHooks(root, context)
  const agent = readAgent(root, runtime?.kind ?? null, context)
  const limits = readLimits(root, context)
  if (runtime?.command) {
    const section = Section.sectionOf(root, "command", context)
    warnOfWithheldVariables(section, ["run"], runtime.command.env, context)
  }
  if (tracker === null || runtime === null) return null
  return {
    tracker,
    polling: { intervalMs: polling.interval_ms },
    workspace: {
      root: workspace.root ?? resolvePath(source.systemTempDirectory, "symphony_workspaces"),
      remove: workspace.remove
    },
    hooks,
    agent,
    limits,
    runtime: { kind: runtime.kind },
    command: runtime.command,
    openhands: runtime.openhands
  }
}

const frontMatterOf = (parts: FrontMatter.WorkflowParts, problems: Problem.Collector): ConfigMap | null =>
  parts.frontMatter === null ? emptyMap(SourcePosition.start) : YamlTree.read(parts.frontMatter, problems)

/** Both halves are read even when one is bad, so that one pass finds what is wrong with either. */
const readParts = (
  parts: FrontMatter.WorkflowParts,
  source: WorkflowSource,
  problems: Problem.Collector
): Workflow | null => {
  const path = resolvePath("/", source.path)
  const directory = resolvePath(path, "..")
  const map = frontMatterOf(parts, problems)
  const { environment, homeDirectory } = source
  const settings = map === null ? null : readSettings(map, source, { problems, environment, homeDirectory, directory })
  const prompt = PromptTemplate.compile({ path: source.path, ...parts.prompt })
  if (Result.isFailure(prompt)) prompt.failure.forEach(problems.add)
  if (settings === null || Result.isFailure(prompt)) return null
  return { path, directory, ...settings, prompt: prompt.success }
}

/** Reads a WORKFLOW.md. Never throws, whatever the text. */
export const parse = (source: WorkflowSource): ParsedWorkflow => {
  const problems = Problem.collector(source.path)
  const parts = source.text.length > maxLength ? null : FrontMatter.split(source.text)
  let workflow: Workflow | null = null
  if (parts !== null) workflow = readParts(parts, source, problems)
  else if (source.text.length > maxLength) {
    problems.error(SourcePosition.start, "front matter", `the file is longer than ${maxLength} characters; shorten it`)
  } else {
    const message = "opens with `---` and is never closed; add a line `---` between the settings and the prompt"
    problems.error(SourcePosition.start, "front matter", message)
  }
  const found = problems.all()
  return { workflow: found.some(Problem.isError) ? null : workflow, problems: found }
}
