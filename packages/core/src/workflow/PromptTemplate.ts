/**
 * The prompt of a WORKFLOW.md: strict Liquid over an issue and an attempt. Whatever can be told from the text alone is a
 * problem at compile time; the rest is an error of the run whose prompt it is.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import { nearestName } from "./NearestName.ts"
import * as Problem from "./Problem.ts"
import * as SourcePosition from "./SourcePosition.ts"
import * as TemplateCheck from "./TemplateCheck.ts"
import * as TemplateContext from "./TemplateContext.ts"
import * as TemplateEngine from "./TemplateEngine.ts"

export interface TemplateSource {
  readonly text: string
  /** The file that it stands in, for messages. */
  readonly path: string
  /** Where `text` begins in that file. */
  readonly position: SourcePosition.SourcePosition
}

export interface PromptTemplate {
  readonly source: TemplateSource
  readonly program: TemplateEngine.TemplateProgram
}

/** What only showed when a prompt was rendered. */
export class TemplateRenderError extends Data.TaggedError("TemplateRenderError")<{
  /** With file, line and column. */
  readonly message: string
}> {}

/** The prompt of a workflow that has none of its own. */
export const defaultText = `You are working on issue {{ issue.identifier }}: {{ issue.title }}

{% if issue.description -%}
{{ issue.description }}
{%- else -%}
The issue has no description; its title is all there is to go by.
{%- endif %}

Your working directory is the workspace of this issue, and yours alone. Look at what is already there, do what the issue
asks for, check that it works, and record the result the way this project does, for example as a commit. When you are
done, or cannot go on without a person, move the issue to the state that says so and explain in a sentence or two.
{%- if attempt %}

This is not the first run on this issue (attempt {{ attempt }}). Go on from what earlier runs left behind.
{%- endif %}`

const key = "prompt"

const describeTag = (name: string, known: ReadonlyArray<string>): string => {
  const nearest = nearestName(name, known)
  const remedy = nearest === null ? `a prompt can use ${known.toSorted().join(", ")}` : `did you mean ${nearest}?`
  return `unknown tag ${name}; ${remedy}`
}

const problemsOf = (
  source: TemplateSource,
  faults: ReadonlyArray<TemplateEngine.TemplateFault>
): ReadonlyArray<Problem.Problem> => {
  const locate = SourcePosition.locator(source.text, source.position)
  return faults
    .map(({ message, offset }) => ({ severity: "error" as const, path: source.path, ...locate(offset), key, message }))
    .toSorted(SourcePosition.compare)
}

const compileText = (source: TemplateSource): Result.Result<PromptTemplate, ReadonlyArray<Problem.Problem>> => {
  const { faults, program } = TemplateEngine.parse(source.text, describeTag)
  const all = program === null ? faults : [...faults, ...TemplateCheck.check(program, TemplateContext.shapes)]
  return program !== null && all.length === 0
    ? Result.succeed({ source, program })
    : Result.fail(problemsOf(source, all))
}

/** A template, or everything that is wrong with it. Blank text compiles to {@link defaultText}. */
export const compile = (source: TemplateSource): Result.Result<PromptTemplate, ReadonlyArray<Problem.Problem>> =>
  compileText(source.text.trim() === "" ? { ...source, text: defaultText } : source)

/** The prompt for one run. */
export const render = (
  { program, source }: PromptTemplate,
  facts: TemplateContext.PromptFacts
): Result.Result<string, TemplateRenderError> =>
  TemplateEngine.run(program, source.text, TemplateContext.make(facts)).pipe(
    Result.mapError((fault) => {
      const message = problemsOf(source, [fault]).map(Problem.render).join("")
      return new TemplateRenderError({ message })
    })
  )
