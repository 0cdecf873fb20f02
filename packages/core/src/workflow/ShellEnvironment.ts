/**
 * What hooks and command agents see of this process's environment: a short list, and what the workflow names. Nothing
 * else gets through, so that a credential reaches only those it is meant for.
 */
import { lookUp, type Environment } from "./EnvironmentReference.ts"

const always = new Set(
  [
    "PATH HOME USER LOGNAME SHELL LANG TZ TERM TMPDIR SSH_AUTH_SOCK SSL_CERT_FILE NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy"
  ].flatMap((names) => names.split(" "))
)

const isPassed = (name: string, extraNames: ReadonlyArray<string>): boolean =>
  always.has(name) || name.startsWith("LC_") || extraNames.includes(name)

/** The variables of `environment` that hooks and command agents get; `extraNames` are those that the workflow names. */
export const passedThrough = (
  environment: Environment,
  extraNames: ReadonlyArray<string>
): { readonly [name: string]: string } =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && isPassed(name, extraNames) ? [[name, value]] : []
    )
  )

/** Set by the shell itself. */
const shellVariables = new Set(["PWD", "OLDPWD", "PPID", "IFS", "OPTIND", "OPTARG", "LINENO", "_"])

/** An escaped character and `$$` are passed over, so that what follows them is not taken for a variable. */
const mention = /\\.|\$\$|\$\{[!#]?([A-Za-z_][A-Za-z0-9_]*)|\$([A-Za-z_][A-Za-z0-9_]*)/gs

const assignments = [
  /(?:^|[\s;&|(){}`])([A-Za-z_][A-Za-z0-9_]*)\+?=/g,
  /(?:^|[\s;&|(){}`])for\s+([A-Za-z_][A-Za-z0-9_]*)\b/g
]

const readCommand = /(?:^|[\s;&|(){}`])read((?:[ \t]+-?[A-Za-z_][A-Za-z0-9_]*)+)/g

const assignedNames = (script: string): ReadonlySet<string> =>
  new Set([
    ...assignments.flatMap((pattern) => [...script.matchAll(pattern)].map((match) => match[1] ?? "")),
    ...[...script.matchAll(readCommand)].flatMap((match) => (match[1] ?? "").trim().split(/[ \t]+/))
  ])

const withoutCommentLines = (script: string): string => script.replaceAll(/^[ \t]*#.*$/gm, "")

/**
 * Variables that a shell text mentions, that are set here, and that it will not get: probably something that its author
 * sees in a terminal and expects to be there. In order of appearance.
 */
export const withheld = (
  script: string,
  environment: Environment,
  extraNames: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const text = withoutCommentLines(script)
  const assigned = assignedNames(text)
  const mentioned = new Set([...text.matchAll(mention)].map((match) => match[1] ?? match[2] ?? ""))
  return [...mentioned].filter(
    (name) =>
      lookUp(environment, name) !== null &&
      !isPassed(name, extraNames) &&
      !name.startsWith("OPENSYMPHONY_") &&
      !shellVariables.has(name) &&
      !assigned.has(name)
  )
}
