/** `openhands.conversation.agent.llm`: the model, and by which variables its secrets come. */
import { entryOf, isNull } from "../ConfigNode.ts"
import * as EnvironmentReference from "../EnvironmentReference.ts"
import type { LlmSettings } from "../OpenHandsSettings.ts"
import * as Section from "../Section.ts"
import * as ValueReader from "../ValueReader.ts"
import type { ReadContext } from "../ValueReader.ts"
import * as OptionReader from "./OptionReader.ts"
import { llmFields, llmSecretFields } from "./ServerFields.ts"

const defaultModel = "openai/gpt-5.4"

/** What OpenHands itself reads; used where the workflow says nothing. */
const usualVariables = { model: "LLM_MODEL", apiKey: "LLM_API_KEY", baseUrl: "LLM_BASE_URL" } as const

const secretFields = Object.fromEntries(
  llmSecretFields.map((field) => [`${field}_env`, Section.withDefault(OptionReader.secretName, null)])
)

const fields = {
  model: Section.optional(ValueReader.referableText),
  base_url: Section.optional(ValueReader.webAddress),
  base_url_env: Section.withDefault(OptionReader.secretName, null),
  api_key_env: Section.withDefault(OptionReader.secretName, null)
}

/** These would be written into the file and shown by every tool that prints it. */
const refuseSecrets = (section: Section.Section, context: ReadContext): void => {
  for (const field of ["api_key", ...llmSecretFields]) {
    const entry = section.map.entries.get(field)
    if (entry === undefined || isNull(entry.value)) continue
    const message = `is a secret and must not stand in this file; put it into the environment and write ${field}_env: NAME`
    context.problems.error(entry.keyPosition, Section.keyOf(section, field), message)
  }
}

const usual = (name: string, context: ReadContext): string | null =>
  EnvironmentReference.lookUp(context.environment, name) === null ? null : name

const isGiven = (section: Section.Section, key: string): boolean => entryOf(section.map, key) !== null

const modelOf = (given: string | null, agent: Section.Section, llm: Section.Section, context: ReadContext): string => {
  if (given !== null) return given
  const fromEnvironment = EnvironmentReference.lookUp(context.environment, usualVariables.model)
  if (fromEnvironment === null && isGiven(agent, "llm") && !isGiven(llm, "model")) {
    const message =
      "is missing; write the model as litellm names it, such as openai/gpt-5.4 or anthropic/claude-sonnet-5"
    context.problems.error(llm.position, Section.keyOf(llm, "model"), message)
  }
  return fromEnvironment?.trim() ?? defaultModel
}

export const read = (agent: Section.Section, context: ReadContext): LlmSettings => {
  const section = Section.sectionOf(agent, "llm", context)
  const own = [...Object.keys(fields), ...Object.keys(secretFields), "options"]
  Section.reportUnknownKeys(section, [...own, ...llmFields], ["api_key", ...llmSecretFields], context)
  refuseSecrets(section, context)
  const values = Section.readFields(section, fields, context)
  const secrets = Section.readFields(section, secretFields, context)
  if (isGiven(section, "base_url") && isGiven(section, "base_url_env")) {
    const position = entryOf(section.map, "base_url_env")?.keyPosition ?? section.position
    context.problems.error(position, Section.keyOf(section, "base_url_env"), "is given beside base_url; keep one")
  }
  const hasAddress = isGiven(section, "base_url") || isGiven(section, "base_url_env")
  const options = OptionReader.passedOn(section, llmFields, context)
  return {
    model: modelOf(values.model, agent, section, context),
    apiKeyEnv: isGiven(section, "api_key_env") ? values.api_key_env : usual(usualVariables.apiKey, context),
    baseUrlEnv: hasAddress ? values.base_url_env : usual(usualVariables.baseUrl, context),
    secretEnvs: Object.fromEntries(
      llmSecretFields.flatMap((field) => {
        const name = secrets[`${field}_env`]
        return typeof name === "string" ? [[field, name]] : []
      })
    ),
    options: values.base_url === null ? options : { ...options, base_url: values.base_url }
  }
}
