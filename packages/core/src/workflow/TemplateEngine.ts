/**
 * Liquid, cut down to what a prompt may do: nothing that reads a file, a clock or chance, nothing that evaluates text as
 * code, and bounds on work, memory and output that do not depend on time.
 */
import * as Result from "effect/Result"
import {
  CaptureTag,
  Context,
  filters,
  Liquid,
  LiquidError,
  toValue,
  toValueSync,
  TypeGuards,
  type Emitter,
  type Template
} from "liquidjs"

/** What is wrong with a template, and where: an offset into its text. */
export interface TemplateFault {
  readonly offset: number
  readonly message: string
}

/** A parsed template. Only this module and the check of it look inside. */
export interface TemplateProgram {
  readonly engine: Liquid
  readonly templates: ReadonlyArray<Template>
}

/** Characters of a rendered prompt, and of each captured text. */
const maxOutput = 1_000_000
/** Tags, outputs and texts that one rendering may run through. */
const maxSteps = 1_000_000
/** What filters may allocate in one rendering, as the engine counts it. */
const maxMemory = 10_000_000
const maxUnknownTags = 20

const tagsOfFiles = ["include", "render", "layout", "block"]

/** Filters that evaluate text as code, out of reach of any check. */
const evaluatingFilters = ["where_exp", "reject_exp", "group_by_exp", "has_exp", "find_exp", "find_index_exp"]

/** `sample` is chance; the hashes behave differently on each platform. */
const removedFilters = [...evaluatingFilters, "sample", "sha256", "hmac_sha256"]

export const dateFilters = ["date", "date_to_xmlschema", "date_to_rfc822", "date_to_string", "date_to_long_string"]

/** Whether a date filter would read the clock for this value. */
export const readsClock = (value: unknown): boolean => value === "now" || value === "today"

export const clockMessage = "a prompt may not read the clock; use a time of the issue, such as issue.created_at"

/** What this module refuses; its message says how to mend it. */
class Refusal extends Error {}

/** A list prints its items one after the other, as Liquid does; a record, where Liquid prints nothing useful, JSON. */
const textOf = (value: unknown): string => {
  const plain: unknown = toValue(value)
  if (plain === null || plain === undefined) return ""
  if (Array.isArray(plain)) return plain.map(textOf).join("")
  return typeof plain === "object" ? JSON.stringify(plain) : String(plain)
}

const boundedEmitter = (): Emitter => {
  const emitter: Emitter = {
    buffer: "",
    write: (value: unknown) => {
      emitter.buffer += textOf(value)
      if (emitter.buffer.length > maxOutput) {
        throw new Refusal(`the text grows beyond ${maxOutput} characters; print less, or use the filter truncate`)
      }
    }
  }
  return emitter
}

class BoundedCapture extends CaptureTag {
  override *render(context: Context): Generator<unknown, void, string> {
    const emitter = boundedEmitter()
    yield this.liquid.renderer.renderTemplates(this.templates, context, emitter)
    context.bottom()[this.variable] = emitter.buffer
  }
}

const makeEngine = (): Liquid => {
  const engine = new Liquid({
    strictVariables: true,
    ownPropertyOnly: true,
    relativeReference: false,
    memoryLimit: maxMemory,
    // The same prompt on every machine.
    locale: "en-US",
    timezoneOffset: 0
  })
  engine.registerTag("capture", BoundedCapture)
  for (const name of tagsOfFiles) delete engine.tags[name]
  for (const name of removedFilters) engine.unregisterFilter(name)
  for (const name of dateFilters) {
    const filter = filters[name]
    if (typeof filter !== "function") continue
    engine.registerFilter(name, function (value: unknown, ...args: ReadonlyArray<unknown>) {
      if (readsClock(toValue(value))) throw new Refusal(clockMessage)
      return filter.call(this, value, ...args)
    })
  }
  return engine
}

/** The engine puts the place, which we show in our own way, behind its sentence. */
const sentenceOf = (error: LiquidError): string =>
  (error.originalError?.message ?? error.message).replace(/(, file:.*)?, line:\d+, col:\d+$/s, "")

/** The engine recurses without a limit of its own; a stack overflow is its way to say so. */
export const tooDeepMessage = "the template is nested too deeply; make it flatter"

const faultOf = (error: unknown, text: string, remedy: string): TemplateFault => {
  if (!LiquidError.is(error) || error.originalError instanceof RangeError) return { offset: 0, message: tooDeepMessage }
  const { originalError, token } = error
  const message = originalError instanceof Refusal ? originalError.message : `${sentenceOf(error)}; ${remedy}`
  // Filters that take the name of a field parse it as a text of its own, whose offsets mean nothing here.
  return { offset: token.input === text ? token.begin : 0, message }
}

const innerTags = /^(?:else|elsif|when|end\w*)$/

/** The name of the tag that the engine does not have, when that is what the error is about. */
const unknownTagOf = (error: unknown, engine: Liquid): string | null => {
  if (!LiquidError.is(error) || !TypeGuards.isTagToken(error.token)) return null
  const { name } = error.token
  return engine.tags[name] === undefined && sentenceOf(error) === `tag "${name}" not found` ? name : null
}

const ignoredTag = { render: () => undefined }

/** How a tag that the engine does not have is described; handed in by who knows what to suggest. */
export type DescribeTag = (name: string, known: ReadonlyArray<string>) => string

/**
 * Parses a template. Unknown tags are collected: each is ignored once it was reported, and the rest is still read, so
 * `program` can be there beside faults. Any other fault ends the reading.
 */
export const parse = (
  text: string,
  describeTag: DescribeTag
): { readonly program: TemplateProgram | null; readonly faults: ReadonlyArray<TemplateFault> } => {
  const engine = makeEngine()
  const knownTags = Object.keys(engine.tags)
  const faults: Array<TemplateFault> = []
  const ignored = new Set<string>()
  while (true) {
    try {
      return { program: { engine, templates: engine.parse(text) }, faults }
    } catch (error) {
      const fault = faultOf(error, text, "mend the Liquid syntax here")
      const name = unknownTagOf(error, engine)
      if (name === null || ignored.size >= maxUnknownTags) {
        return { program: null, faults: [...faults, fault] }
      }
      if (innerTags.test(name) && !ignored.has(name.replace(/^end/, ""))) {
        const message = `the tag ${name} stands outside of what it belongs to; remove it or open its block before it`
        return { program: null, faults: [...faults, { ...fault, message }] }
      }
      if (!innerTags.test(name)) faults.push({ ...fault, message: describeTag(name, knownTags) })
      ignored.add(name)
      engine.registerTag(name, ignoredTag)
    }
  }
}

/** Renders the template that `text` was parsed to; `scope` belongs to it afterwards. */
export const run = (
  { engine, templates }: TemplateProgram,
  text: string,
  scope: { readonly [name: string]: unknown }
): Result.Result<string, TemplateFault> => {
  const context = new Context(scope, engine.options, { sync: true }, { liquid: engine })
  let steps = 0
  // The engine asks this at every step, with the time; we count the steps.
  context.renderLimit.check = () => {
    steps += 1
    if (steps > maxSteps) throw new Refusal(`the template takes more than ${maxSteps} steps; loop over less`)
  }
  const emitter = boundedEmitter()
  try {
    toValueSync(engine.renderer.renderTemplates([...templates], context, emitter))
    return Result.succeed(emitter.buffer)
  } catch (error) {
    return Result.fail(faultOf(error, text, "mend this place, or guard it with {% if %}"))
  }
}
