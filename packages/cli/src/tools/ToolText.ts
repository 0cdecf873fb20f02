/** How the tools of a run are listed on a screen. Pure. */
import type { ListedTool } from "@opensymphony/adapters-linear/tools/ToolClient"

const argumentLines = ({ inputSchema }: ListedTool): ReadonlyArray<string> =>
  Object.entries(inputSchema.properties).map(([name, { description = "", type }]) => {
    const assignment = type === "string" ? "=" : ":="
    const isRequired = inputSchema.required.includes(name)
    return `    ${`${name}${assignment}...`.padEnd(18)} ${isRequired ? "" : "optional: "}${description}`
  })

/** A tool with its arguments. */
export const detailed = (tool: ListedTool): string =>
  [tool.name, `    ${tool.description}`, ...argumentLines(tool)].join("\n")

/** All tools, each with its arguments. */
export const listing = (tools: ReadonlyArray<ListedTool>): string => tools.map(detailed).join("\n\n")
