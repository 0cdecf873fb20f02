/**
 * Finds, without rendering, what a template can never do: names, fields and filters that do not exist, in every branch,
 * also those that hardly ever run.
 */
import {
  AssignTag,
  ForTag,
  TablerowTag,
  toValueSync,
  TypeGuards,
  Value,
  type PropertyAccessToken,
  type Template,
  type Token
} from "liquidjs"
import { nearestName } from "./NearestName.ts"
import {
  clockMessage,
  dateFilters,
  readsClock,
  tooDeepMessage,
  type TemplateFault,
  type TemplateProgram
} from "./TemplateEngine.ts"
import * as TemplateShape from "./TemplateShape.ts"

type Names = ReadonlyMap<string, TemplateShape.TemplateShape>

/** Innermost first: the loops around a place, then what the template assigned, then what it starts with. */
type Scopes = ReadonlyArray<Names>

interface FilterUse {
  readonly name: string
  readonly offset: number
  readonly args: ReadonlyArray<unknown>
}

const lookUp = (scopes: Scopes, name: string): TemplateShape.TemplateShape | null => {
  for (const names of scopes) {
    const shape = names.get(name)
    if (shape !== undefined) return shape
  }
  return null
}

const visibleNames = (scopes: Scopes): ReadonlyArray<string> => scopes.flatMap((names) => [...names.keys()])

const childrenOf = (template: Template): ReadonlyArray<Template> =>
  template.children === undefined ? [] : (toValueSync(template.children(false, true)) as ReadonlyArray<Template>)

/** Names that a template, or what is inside it, assigns. */
const assignedIn = (template: Template): ReadonlyArray<string> => [
  ...[...(template.localScope?.() ?? [])].map((name) => String(name.content)),
  ...childrenOf(template).flatMap(assignedIn)
]

/** A name that is assigned in several places may be any of them, depending on the way through the template. */
const assignedOnce = (templates: ReadonlyArray<Template>): ReadonlySet<string> => {
  const names = templates.flatMap(assignedIn)
  return new Set(names.filter((name) => names.indexOf(name) === names.lastIndexOf(name)))
}

/** The name or index that a part of `a.b[0]["c"]` is; null when it is computed. */
const segmentOf = (part: Token): string | number | null =>
  TypeGuards.isWordToken(part) || TypeGuards.isQuotedToken(part) || TypeGuards.isNumberToken(part) ? part.content : null

const pathText = (segments: ReadonlyArray<string | number>): string =>
  segments
    .map((segment, index) => (typeof segment === "number" ? `[${segment}]` : `${index === 0 ? "" : "."}${segment}`))
    .join("")

const find = (program: TemplateProgram, roots: Names): ReadonlyArray<TemplateFault> => {
  const faults: Array<TemplateFault> = []
  const filterNames = Object.keys(program.engine.filters)
  const assigned = new Map<string, TemplateShape.TemplateShape>()
  const settled = assignedOnce(program.templates)

  const reportRoot = (offset: number, name: string, scopes: Scopes): void => {
    const issue = lookUp(scopes, "issue")
    const field = nearestName(name, issue === null ? [] : (TemplateShape.membersOf(issue) ?? []))
    const nearest = nearestName(name, visibleNames(scopes)) ?? (field === null ? null : `issue.${field}`)
    const remedy =
      nearest === null ? "a prompt knows issue, attempt, and what it assigns itself" : `did you mean ${nearest}?`
    faults.push({ offset, message: `unknown variable ${name}; ${remedy}` })
  }

  const reportMember = (
    offset: number,
    path: ReadonlyArray<string | number>,
    segment: string | number,
    shape: TemplateShape.TemplateShape
  ): void => {
    const known = TemplateShape.membersOf(shape) ?? []
    const nearest = nearestName(String(segment), known)
    const remedy =
      nearest === null ? `${pathText(path)} has ${known.join(", ")}` : `did you mean ${pathText([...path, nearest])}?`
    faults.push({ offset, message: `unknown variable ${pathText([...path, segment])}; ${remedy}` })
  }

  const checkAccess = (token: PropertyAccessToken, scopes: Scopes): TemplateShape.TemplateShape => {
    const { props, variable } = token
    for (const part of props) checkToken(part, scopes)
    // A lookup in a literal or a range, such as ("a".size).
    if (variable !== undefined) {
      checkToken(variable, scopes)
      return TemplateShape.anything
    }
    const path: Array<string | number> = []
    let shape = TemplateShape.anything
    for (const [index, part] of props.entries()) {
      const segment = segmentOf(part)
      if (segment === null) {
        shape = index === 0 ? TemplateShape.anything : TemplateShape.itemOf(shape)
        path.push("...")
        continue
      }
      const found = index === 0 ? lookUp(scopes, String(segment)) : TemplateShape.memberOf(shape, segment)
      if (found === null) {
        if (index === 0) reportRoot(token.begin, String(segment), scopes)
        else reportMember(token.begin, path, segment, shape)
        return TemplateShape.anything
      }
      path.push(segment)
      shape = found
    }
    return shape
  }

  const checkFilters = (
    initial: ReadonlyArray<Token>,
    uses: ReadonlyArray<FilterUse>,
    scopes: Scopes
  ): TemplateShape.TemplateShape => {
    const shapes = initial.map((token) => checkToken(token, scopes))
    for (const { args, name, offset } of uses) {
      if (program.engine.filters[name] === undefined) {
        const nearest = nearestName(name, filterNames)
        const remedy =
          nearest === null ? "remove it or use one of Liquid's standard filters" : `did you mean ${nearest}?`
        faults.push({ offset, message: `unknown filter ${name}; ${remedy}` })
      }
      // A named argument is a pair of name and value.
      for (const arg of args) checkToken(Array.isArray(arg) ? arg[1] : arg, scopes)
    }
    const [first, ...others] = initial
    const isDate = uses[0] !== undefined && dateFilters.includes(uses[0].name)
    if (isDate && first !== undefined && TypeGuards.isQuotedToken(first) && readsClock(first.content)) {
      faults.push({ offset: first.begin, message: clockMessage })
    }
    return uses.length === 0 && others.length === 0 ? (shapes[0] ?? TemplateShape.anything) : TemplateShape.anything
  }

  /** What the value of an expression looks like. */
  const checkToken = (token: unknown, scopes: Scopes): TemplateShape.TemplateShape => {
    if (token instanceof Value) {
      const uses = token.filters.map((filter) => ({
        name: filter.name,
        args: filter.args,
        offset: filter["token"].begin
      }))
      return checkFilters(token.initial.postfix, uses, scopes)
    }
    if (TypeGuards.isFilteredValueToken(token)) {
      const uses = token.filters.map((filter) => ({ name: filter.name, args: filter.args, offset: filter.begin }))
      return checkFilters(token.initial.postfix, uses, scopes)
    }
    if (TypeGuards.isPropertyAccessToken(token)) return checkAccess(token, scopes)
    if (TypeGuards.isRangeToken(token)) {
      checkToken(token.lhs, scopes)
      checkToken(token.rhs, scopes)
      return TemplateShape.list(TemplateShape.single)
    }
    return TemplateShape.anything
  }

  const visitLoop = (template: ForTag | TablerowTag, loops: Scopes): void => {
    // `offset: continue` is a word of Liquid, no variable.
    const around: Scopes = [new Map([["continue", TemplateShape.anything]]), ...loops, assigned, roots]
    const [collection] = [...template.arguments()].map((argument) => checkToken(argument, around))
    const item = TemplateShape.itemOf(collection ?? TemplateShape.anything)
    const names = [...template.blockScope()].map(
      (name) => [name, name === template.variable ? item : (TemplateShape.loops.get(name) ?? item)] as const
    )
    // The second round of a loop sees what the first assigned.
    for (const name of childrenOf(template).flatMap(assignedIn)) {
      if (!assigned.has(name)) assigned.set(name, TemplateShape.anything)
    }
    for (const child of childrenOf(template)) visit(child, [new Map(names), ...loops])
  }

  const visit = (template: Template, loops: Scopes): void => {
    if (template instanceof ForTag || template instanceof TablerowTag) return visitLoop(template, loops)
    const scopes: Scopes = [...loops, assigned, roots]
    const shapes = [...(template.arguments?.() ?? [])].map((argument) => checkToken(argument, scopes))
    for (const child of childrenOf(template)) visit(child, loops)
    for (const { content } of template.localScope?.() ?? []) {
      const name = String(content)
      const isKnown = template instanceof AssignTag && settled.has(name)
      assigned.set(name, (isKnown ? shapes[0] : undefined) ?? TemplateShape.anything)
    }
  }

  for (const template of program.templates) visit(template, [])
  return faults
}

/** All faults that can be told from the text alone. `roots` are the names that a template starts with. */
export const check = (program: TemplateProgram, roots: Names): ReadonlyArray<TemplateFault> => {
  try {
    return find(program, roots)
  } catch (error) {
    if (error instanceof RangeError) return [{ offset: 0, message: tooDeepMessage }]
    throw error
  }
}
