/** The arguments of a tool as a shell writes them: `key=text`, `key:=json`, `key=-` for standard input. Pure. */
import * as Result from "effect/Result"

export type ToolInput = { readonly [name: string]: unknown }

/** What standard input is read into, at most. */
export const maxStdinBytes = 512 * 1024

const form = /^([A-Za-z_][A-Za-z0-9_]*)(:?=)([\s\S]*)$/

const isRecord = (value: unknown): value is ToolInput =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parsed = (text: string): Result.Result<unknown, string> =>
  Result.try({
    try: (): unknown => JSON.parse(text),
    catch: (error) => (error instanceof Error ? error.message : String(error))
  })

/** The name of the one argument that is read from standard input; null when none is, a failure when several are. */
export const fromStdin = (words: ReadonlyArray<string>): Result.Result<string | null, string> => {
  const names = words.flatMap((word) => (word.endsWith("=-") ? (form.exec(word)?.[1] ?? []) : []))
  return names.length > 1
    ? Result.fail(`only one argument can be read from standard input, not ${names.join(" and ")}`)
    : Result.succeed(names[0] ?? null)
}

const inputOf = (word: string, stdin: string | null): Result.Result<ToolInput, string> => {
  const [, name, operator, text = ""] = form.exec(word) ?? []
  if (name === undefined) {
    return Result.fail(`${JSON.stringify(word)} is no argument; write key=text, key:=json, or key=- for standard input`)
  }
  if (operator === "=") return Result.succeed({ [name]: text === "-" && stdin !== null ? stdin : text })
  return parsed(text).pipe(
    Result.map((value) => ({ [name]: value })),
    Result.mapError((reason) => `${name} is not JSON: ${reason}; write key=text for plain text`)
  )
}

/** All arguments together: those of `--json`, and over them the words, the last of each name. */
export const read = (
  words: ReadonlyArray<string>,
  json: string | null,
  stdin: string | null
): Result.Result<ToolInput, string> => {
  const base = json === null ? Result.succeed<unknown>({}) : parsed(json)
  if (Result.isFailure(base)) return Result.fail(`--json is not JSON: ${base.failure}`)
  if (!isRecord(base.success)) return Result.fail(`--json must be an object, such as --json '{"state": "In Review"}'`)
  let input: ToolInput = base.success
  for (const word of words) {
    const more = inputOf(word, stdin)
    if (Result.isFailure(more)) return Result.fail(more.failure)
    input = { ...input, ...more.success }
  }
  return Result.succeed(input)
}
