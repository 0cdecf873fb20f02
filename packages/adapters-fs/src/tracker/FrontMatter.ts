/**
 * Where the YAML front matter of an issue file begins and ends, and its document with positions. What the keys mean is
 * `IssueFile`'s business.
 */
import * as Result from "effect/Result"
import * as Yaml from "yaml"

/** Something wrong with a file, at a line of it (1 is the first). */
export interface FileProblem {
  readonly line: number
  readonly message: string
}

export interface FrontMatter {
  /** Offset of the YAML in the text of the file. */
  readonly yamlStart: number
  readonly document: Yaml.Document.Parsed
  /** What is not YAML in it; a document with problems may still hold some of its keys. */
  readonly problems: ReadonlyArray<FileProblem>
  /** Offset of the first character after the closing line. */
  readonly bodyStart: number
  /** The line of the file that an offset inside the YAML is on. */
  readonly lineAt: (offset: number) => number
  /** What an alias (`*name`) stands for; any other node itself. */
  readonly resolve: (node: unknown) => unknown
}

/** More than any issue needs, and little enough that no YAML in it takes long to read. */
const maxLength = 64 * 1024

const opening = /^\uFEFF?---[ \t]*\r?\n/
const closing = /^---[ \t]*\r?(?:\n|$(?![^]))/m

/** Finds and parses the front matter. A byte order mark and CRLF are fine. */
export const parse = (text: string): Result.Result<FrontMatter, FileProblem> => {
  const opened = opening.exec(text)
  if (opened === null) {
    return Result.fail({
      line: 1,
      message: 'has no front matter; begin the file with a line "---", the keys title and state, and another line "---"'
    })
  }
  const yamlStart = opened[0].length
  const closed = closing.exec(text.slice(yamlStart))
  if (closed === null) {
    return Result.fail({ line: 1, message: 'the front matter is not closed; end it with a line "---"' })
  }
  if (closed.index > maxLength) {
    const message = `the front matter is longer than ${maxLength} characters; move text below the line "---" that ends it`
    return Result.fail({ line: 1, message })
  }
  return Result.map(parseYaml(text.slice(yamlStart, yamlStart + closed.index)), (yaml) => ({
    ...yaml,
    yamlStart,
    bodyStart: yamlStart + closed.index + closed[0].length
  }))
}

const parseYaml = (
  yaml: string
): Result.Result<Pick<FrontMatter, "document" | "problems" | "lineAt" | "resolve">, FileProblem> =>
  Result.try({
    try: () => {
      const lines = new Yaml.LineCounter()
      const document = Yaml.parseDocument(yaml, { lineCounter: lines, prettyErrors: false, logLevel: "silent" })
      // The opening line is line 1 of the file, so line 1 of the YAML is line 2.
      const lineAt = (offset: number): number => lines.linePos(offset).line + 1
      const problems = document.errors.map((error) => ({
        line: lineAt(error.pos[0]),
        message: `the front matter is not valid YAML: ${error.message}`
      }))
      const anchors = new Map<string, unknown>()
      Yaml.visit(document, {
        Value: (_, node) => void (node.anchor !== undefined && anchors.set(node.anchor, node)),
        Alias: (_, { range, source }) => {
          if (anchors.has(source)) return
          const message = `"*${source}" refers to nothing above it; put the value in quotes if it is meant as text`
          problems.push({ line: lineAt(range?.[0] ?? 0), message })
        }
      })
      const resolve = (node: unknown): unknown => (Yaml.isAlias(node) ? anchors.get(node.source) : node)
      return { document, problems, lineAt, resolve }
    },
    // The parser recurses without a limit of its own; a stack overflow is its way to say "too deep".
    catch: () => ({ line: 2, message: "the front matter cannot be read as YAML; make it flatter" })
  })

/** The pair of `key` in a map, with its positions. */
export const pairOf = (contents: unknown, key: string): Yaml.Pair | null => {
  if (!Yaml.isMap(contents)) return null
  return contents.items.find((pair) => Yaml.isScalar(pair.key) && pair.key.value === key) ?? null
}
