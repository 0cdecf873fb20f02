// A benchmark's figures, as a table for people and as JSON for programs.

export type Unit = "ms" | "bytes" | "events" | "events/s" | "MB/s" | "%" | ""

export interface Figure {
  readonly name: string
  readonly value: number
  /** The best of the repetitions, where `value` is their median. */
  readonly best?: number
  readonly unit: Unit
  /** The most it may be; null where the design sets no limit. */
  readonly target: number | null
  /** What its best was compared with, the best of the same run, if with anything. */
  readonly comparison?: { readonly with: string; readonly ratio: number }
}

export interface Section {
  readonly title: string
  /** How it was measured, in a line. */
  readonly how: string
  readonly figures: ReadonlyArray<Figure>
}

const rounded = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : value >= 10 ? value.toFixed(1) : value.toFixed(2)

const ratioToTarget = ({ target, value }: Figure): number | null => (target === null ? null : value / target)

const verdict = (figure: Figure): string => {
  const ratio = ratioToTarget(figure)
  if (ratio === null) return ""
  return ratio <= 1 ? `${rounded(ratio)} of it` : `${rounded(ratio)} of it: MISSED`
}

const cells = (figure: Figure): ReadonlyArray<string> => [
  figure.name,
  `${rounded(figure.value)} ${figure.unit}`,
  figure.target === null ? "no target" : `<= ${rounded(figure.target)} ${figure.unit}`,
  verdict(figure),
  figure.best === undefined ? "" : `best ${rounded(figure.best)}`,
  figure.comparison === undefined ? "" : `${rounded(figure.comparison.ratio)} x ${figure.comparison.with}`
]

/** What the figures depend on. A load above the number of processors means that others were in the way. */
export interface Environment {
  readonly node: string
  readonly processors: number
  /** Processes that wanted to run, on average over the last minute before the benchmark. */
  readonly load: number
}

export const renderEnvironment = ({ node, processors, load }: Environment): string =>
  `Node ${node}, ${processors} processors, load ${rounded(load)} at the start\n`

/** Figure, target, ratio to the target, and what else it was compared with: one line each. */
export function render(section: Section): string {
  const rows = section.figures.map(cells)
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd()
  )
  return [section.title, section.how, ...lines.map((line) => `  ${line}`), ""].join("\n")
}

export const toJson = (environment: Environment, sections: ReadonlyArray<Section>): string =>
  JSON.stringify(
    {
      environment,
      sections: sections.map((section) => ({
        ...section,
        figures: section.figures.map((figure) => ({ ...figure, ratioToTarget: ratioToTarget(figure) }))
      }))
    },
    undefined,
    2
  )

/** The names of the figures that are over their target. */
export const missed = (sections: ReadonlyArray<Section>): ReadonlyArray<string> =>
  sections.flatMap(({ figures }) =>
    figures.filter((figure) => (ratioToTarget(figure) ?? 0) > 1).map((figure) => figure.name)
  )
