/**
 * `$NAME` and `${NAME}` in settings: as a whole value where a setting takes one, anywhere in paths. Nothing else in a
 * WORKFLOW.md is rewritten.
 */
import * as Result from "effect/Result"

/** The variables of this process, as the caller chose to hand them in. */
export interface Environment {
  readonly [name: string]: string | undefined
}

/** The value of a variable that is set to more than blanks, else null. */
export const lookUp = (environment: Environment, name: string): string | null => {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined
  return typeof value === "string" && value.trim() !== "" ? value : null
}

const wholeReference = /^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})$/

/** The name in a text that is exactly `$NAME` or `${NAME}`, else null. */
export const referencedName = (text: string): string | null => {
  const match = wholeReference.exec(text)
  return match?.[1] ?? match?.[2] ?? null
}

/** What a setting says whose variable is missing. */
export const notSet = (name: string): string =>
  `the environment variable ${name} is not set, or empty; set it before starting, or change this value`

export interface PathContext {
  readonly environment: Environment
  /** Null when this process has none. */
  readonly homeDirectory: string | null
  /** Absolute; what relative paths are relative to. */
  readonly directory: string
}

const reference = /\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([^}]*)(\}?))/g

const expandVariables = (text: string, environment: Environment): Result.Result<string, string> => {
  let problem: string | null = null
  const expanded = text.replaceAll(reference, (whole, plain?: string, braced?: string) => {
    const name = plain ?? referencedName(whole)
    if (name === null) {
      problem ??= `\`\${${braced ?? ""}\` is no variable; write \${NAME}`
      return whole
    }
    const value = lookUp(environment, name)
    if (value === null) problem ??= notSet(name)
    return value ?? whole
  })
  return problem === null ? Result.succeed(expanded) : Result.fail(problem)
}

const expandHome = (text: string, homeDirectory: string | null): Result.Result<string, string> => {
  if (!text.startsWith("~")) return Result.succeed(text)
  if (text !== "~" && !text.startsWith("~/")) {
    return Result.fail("only `~` and `~/...` stand for a home directory; write the full path")
  }
  if (!homeDirectory)
    return Result.fail("`~` needs a home directory and there is none; set HOME or write the full path")
  return Result.succeed(homeDirectory + text.slice(1))
}

/** Absolute, without `.`, `..`, doubled or trailing slashes. Looks at no disk. */
export const resolvePath = (directory: string, path: string): string => {
  const segments: Array<string> = []
  for (const segment of (path.startsWith("/") ? path : `${directory}/${path}`).split("/")) {
    if (segment === "..") segments.pop()
    else if (segment !== "" && segment !== ".") segments.push(segment)
  }
  return `/${segments.join("/")}`
}

/** The absolute path that a path setting means; the failure says what is wrong and how to mend it. */
export const expandPath = (text: string, context: PathContext): Result.Result<string, string> =>
  expandVariables(text.trim(), context.environment).pipe(
    Result.flatMap((expanded) => expandHome(expanded, context.homeDirectory)),
    Result.flatMap((path) =>
      path.includes("\0")
        ? Result.fail("contains a NUL character, which no path can; remove it")
        : Result.succeed(resolvePath(context.directory, path))
    )
  )
