/**
 * Writes another state into the text of an issue file and leaves every other character as it is: comments, quoting, line
 * ends, the order of keys.
 */
import * as Result from "effect/Result"
import * as Yaml from "yaml"
import * as FrontMatter from "./FrontMatter.ts"
import * as IssueFile from "./IssueFile.ts"

const isPlainSafe = (value: string): boolean => {
  const document = Yaml.parseDocument(value, { logLevel: "silent" })
  return (
    document.errors.length === 0 &&
    Yaml.isScalar(document.contents) &&
    document.contents.type === Yaml.Scalar.PLAIN &&
    document.contents.value === value
  )
}

const doubleQuoted = (value: string): string => JSON.stringify(value)

const singleQuoted = (value: string): string => `'${value.replaceAll("'", "''")}'`

/** How the value may be written, the style that the file uses first. */
const spellings = (value: string, node: unknown): ReadonlyArray<string> => {
  const style = Yaml.isScalar(node) ? node.type : null
  if (style === Yaml.Scalar.QUOTE_DOUBLE) return [doubleQuoted(value)]
  if (style === Yaml.Scalar.QUOTE_SINGLE) return [singleQuoted(value), doubleQuoted(value)]
  return isPlainSafe(value) ? [value, doubleQuoted(value)] : [doubleQuoted(value)]
}

const sameButState = (self: IssueFile.IssueFile, that: IssueFile.IssueFile, state: string): boolean =>
  that.state === state && JSON.stringify({ ...self, state }) === JSON.stringify(that)

/**
 * The text with its state set to `state`, a text of one line. Fails on a file that is no readable issue, and on front
 * matter that is written so that one value cannot be replaced by itself.
 */
export const setState = (
  stem: string,
  text: string,
  state: string
): Result.Result<{ readonly text: string; readonly before: string }, IssueFile.MalformedFile> =>
  Result.gen(function* () {
    const file = yield* IssueFile.parse(stem, text)
    if (file.state === state) return { text, before: state }
    const source = yield* Result.mapError(FrontMatter.parse(text), (problem) => ({ ...problem, identity: file }))
    const node = FrontMatter.pairOf(source.document.contents, "state")?.value
    const range = Yaml.isNode(node) ? node.range : null
    if (range) {
      const [start, end] = [source.yamlStart + range[0], source.yamlStart + range[1]]
      // A block value (`|`, `>`) owns its line ends, also the last one, which the next key needs.
      const lineEnd = /[\r\n]*$/.exec(text.slice(start, end))?.[0] ?? ""
      for (const spelling of spellings(state, node)) {
        const edited = text.slice(0, start) + spelling + lineEnd + text.slice(end)
        const reread = IssueFile.parse(stem, edited)
        if (Result.isSuccess(reread) && sameButState(file, reread.success, state)) {
          return { text: edited, before: file.state }
        }
      }
    }
    return yield* Result.fail({
      line: range ? source.lineAt(range[0]) : 1,
      message: 'the state is written in a way that cannot be changed by itself; write it as "state: Todo" on one line',
      identity: file
    })
  })
