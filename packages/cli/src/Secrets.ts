/**
 * Keeps secrets out of what people read. What hooks and agents print ends up in logs, reasons and manifests, so the
 * values of variables that look like credentials, and of those that the workflow hands on, are replaced there.
 */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import { variablesOf } from "@opensymphony/core/workflow/OpenHandsSettings"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"

const secretName =
  /KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|AUTH(?!OR(?!I))|(?:^|_)(?:PASS|PAT|DSN)(?:_|$)/i
/** `scheme://user:password@host`, whatever the variable is called. */
const urlWithPassword = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]*:[^/?#@\s]+@/i
const pathName = /(?:FILE|PATH|DIR|HOME|ROOT|SOCK|SOCKET|CREDENTIALS)$/i
const plainWord = /^[a-z]+$/i
/** Shorter values would blot out ordinary words. */
const shortestSecret = 8
/** So much of a secret is no accident when it stands where a text was cut. */
const shortestPart = 6

/** The variables that the workflow hands on to hooks and agents: nobody names what everybody may see. */
export const namedVariables = ({ command, hooks, openhands }: Workflow): ReadonlyArray<string> => [
  ...hooks.env,
  ...(command?.env ?? []),
  ...(openhands === null ? [] : variablesOf(openhands))
]

const isSecret = (name: string, value: string, isNamed: boolean): boolean => {
  if (value.startsWith("/") && (pathName.test(name) || !secretName.test(name))) return false
  return secretName.test(name) || urlWithPassword.test(value) || (isNamed && !plainWord.test(value))
}

/** A value of several lines is printed line by line. */
const partsOf = (value: string): ReadonlyArray<string> =>
  [value, ...value.split(/\r?\n/)].map((part) => part.trim()).filter((part) => part.length >= shortestSecret)

const mask = "***"

/** Replaces what a bound left of a secret: its beginning at the end of a text, its end at the beginning. */
const withoutCutSecret = (text: string, secret: string): string => {
  const head = secret.slice(0, shortestPart)
  for (let at = text.indexOf(head); at !== -1; at = text.indexOf(head, at + 1)) {
    if (secret.startsWith(text.slice(at))) return withoutCutSecret(text.slice(0, at), secret) + mask
  }
  const tail = secret.slice(-shortestPart)
  for (let at = text.indexOf(tail); at !== -1; at = text.indexOf(tail, at + 1)) {
    const end = at + shortestPart
    if (secret.endsWith(text.slice(0, end))) return mask + text.slice(end)
  }
  return text
}

/** Where texts are cut and put together. */
const seams = /(\n|…|: |; )/

/** A function that replaces every secret of the environment in a text, also where the text ends in the middle of one. */
export const redactor = (environment: Environment, named: ReadonlyArray<string> = []): ((text: string) => string) => {
  const values = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && isSecret(name, value.trim(), named.includes(name)) ? partsOf(value) : []
  )
  const secrets = [...new Set(values)].sort((self, that) => that.length - self.length)
  if (secrets.length === 0) return (text) => text
  const redactPiece = (piece: string) => secrets.reduce(withoutCutSecret, piece)
  return (text) =>
    secrets
      .reduce((shown, secret) => shown.replaceAll(secret, mask), text)
      .split(seams)
      .map(redactPiece)
      .join("")
}
