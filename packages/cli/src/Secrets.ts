/**
 * Keeps secrets out of what people read. What hooks and agents print ends up in logs, reasons and manifests, so the
 * values of variables that look like credentials are replaced there.
 */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"

const secretName = /KEY|TOKEN|SECRET|PASSW|CREDENTIAL/i
/** Shorter values would blot out ordinary words. */
const shortestSecret = 8

/** A function that replaces every secret of the environment in a text. */
export const redactor = (environment: Environment): ((text: string) => string) => {
  const secrets = Object.entries(environment)
    .flatMap(([name, value]) => (value !== undefined && secretName.test(name) ? [value.trim()] : []))
    .filter((value) => value.length >= shortestSecret && !value.startsWith("/"))
    .sort((self, that) => that.length - self.length)
  return secrets.length === 0
    ? (text) => text
    : (text) => secrets.reduce((redacted, secret) => redacted.replaceAll(secret, "***"), text)
}
