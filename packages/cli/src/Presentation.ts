/** How the command speaks: help on stdout; what is wrong on stderr, plainly, one problem a line. */
import * as CliOutput from "effect/cli/CliOutput"
import * as Console from "effect/Console"
import * as Layer from "effect/Layer"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"

const positioned = /^\S.*:\d+:\d+: /

/** Problems with a position are complete sentences about a file; anything else says who speaks. */
const formatProblem = (message: string): string => (positioned.test(message) ? message : `opensymphony: ${message}`)

const invalid = ({ commandPath, errors }: CliOutput.Presenter.InvalidInvocation) =>
  Console.error(
    [
      ...errors.map((error) => formatProblem(error.message.replace(/\s*\n\s*/g, " "))),
      `opensymphony: see \`${commandPath.join(" ")} --help\``
    ].join("\n")
  )

const formatter = Effect.map(TerminalCapabilities.TerminalCapabilities, ({ canColor }): CliOutput.Formatter => ({
  ...CliOutput.defaultFormatter({ colors: canColor }),
  formatError: (error) => formatProblem(error.message)
}))

export const layer = Layer.mergeAll(
  Layer.unwrap(Effect.map(formatter, CliOutput.layer)),
  CliOutput.layerPresenter({
    present: (event) =>
      event._tag === "InvalidInvocation" ? invalid(event) : CliOutput.defaultPresenter.present(event)
  })
)
