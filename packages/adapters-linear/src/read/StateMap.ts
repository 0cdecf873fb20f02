/**
 * From the names of states in a workflow to the states of a project's teams. Names compare trimmed and without case, as
 * everywhere; Linear's own filter minds the case, so that it is asked for ids.
 */
import { stateKey } from "@opensymphony/core/domain/Issue"

export interface WorkflowState {
  readonly id: string
  readonly name: string
  /** Linear's kind: triage, backlog, unstarted, started, completed, canceled, duplicate, or one that is new. */
  readonly type: string
  readonly position: number
}

export interface Team {
  readonly id: string
  readonly key: string
  readonly name: string
  readonly states: ReadonlyArray<WorkflowState>
}

export interface StateNames {
  readonly activeStates: ReadonlyArray<string>
  readonly terminalStates: ReadonlyArray<string>
}

export interface StateMap {
  /** Ids of the states that are active and not terminal. */
  readonly active: ReadonlyArray<string>
  readonly terminal: ReadonlyArray<string>
  /** What makes the settings useless, for one line each; empty when they work. */
  readonly problems: ReadonlyArray<string>
  /** What works, and may still not be what is meant. */
  readonly warnings: ReadonlyArray<string>
}

const quotedList = (names: ReadonlyArray<string>): string => names.map((name) => JSON.stringify(name)).join(", ")

/** The states that there are, team by team, for messages. */
export const describeTeams = (teams: ReadonlyArray<Team>): string =>
  teams.map(({ key, states }) => `team ${key} has ${quotedList(states.map(({ name }) => name))}`).join("; ")

const idsOf = (teams: ReadonlyArray<Team>, keys: ReadonlySet<string>): ReadonlyArray<string> =>
  teams.flatMap(({ states }) => states.filter(({ name }) => keys.has(stateKey(name))).map(({ id }) => id))

/** Resolves the names of a workflow. A terminal name that no team has is no problem: the defaults spell several. */
export const resolve = ({ activeStates, terminalStates }: StateNames, teams: ReadonlyArray<Team>): StateMap => {
  const terminalKeys = new Set(terminalStates.map(stateKey))
  const wanted = activeStates.filter((name) => !terminalKeys.has(stateKey(name)))
  const activeKeys = new Set(wanted.map(stateKey))
  const lacking = (name: string) =>
    teams.filter(({ states }) => !states.some((state) => stateKey(state.name) === stateKey(name))).map(({ key }) => key)
  const nowhere = wanted.filter((name) => lacking(name).length === teams.length)
  const terminal = idsOf(teams, terminalKeys)
  const problems: Array<string> = []
  if (nowhere.length > 0) {
    const remedy = `${describeTeams(teams)}; correct tracker.active_states`
    problems.push(`tracker.active_states names ${quotedList(nowhere)}, which no team of the project has: ${remedy}`)
  }
  if (terminal.length === 0) {
    const remedy = `${describeTeams(teams)}; add those in which work is finished`
    problems.push(`no team of the project has any state of tracker.terminal_states: ${remedy}`)
  }
  const warnings = wanted.flatMap((name) => {
    const keys = lacking(name)
    return keys.length === 0 || keys.length === teams.length
      ? []
      : [`tracker.active_states names ${JSON.stringify(name)}, which these teams do not have: ${keys.join(", ")}`]
  })
  for (const { key, states } of teams) {
    if (terminal.length > 0 && !states.some(({ name }) => terminalKeys.has(stateKey(name)))) {
      warnings.push(`team ${key} has no state of tracker.terminal_states, so its issues are never finished`)
    }
  }
  return { active: idsOf(teams, activeKeys), terminal, problems, warnings }
}

const finishedTypes = new Set(["completed", "canceled", "duplicate"])

/**
 * Whether a blocker or sub-issue in this state is finished by Linear's own kind of state. Only for states that the
 * workflow does not name: what it names means what it says.
 */
export const isFinishedByType = (
  name: string | null,
  type: string | null,
  { activeStates, terminalStates }: StateNames
): boolean => {
  if (name === null || type === null || !finishedTypes.has(type.toLowerCase())) return false
  const key = stateKey(name)
  return ![...activeStates, ...terminalStates].some((named) => stateKey(named) === key)
}
