/**
 * Where the bridge finds the tools of the run that is live in a workspace: a small file among the orchestrator's own,
 * there as long as the run is, readable by its user only.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { ToolsError } from "@opensymphony/core/ports/AgentTools"

export interface Endpoint {
  readonly url: string
  readonly token: Redacted.Redacted
}

const ownDirectory = ".opensymphony"
const fileName = "tools.json"
const maxBytes = 4096

const Content = Schema.fromJsonString(Schema.Struct({ url: Schema.String, token: Schema.String }))

type Services = FileSystem.FileSystem | Path.Path

const places = Effect.fnUntraced(function* (workspace: string) {
  const path = yield* Path.Path
  const directory = path.join(workspace, ownDirectory)
  return { directory, file: path.join(directory, fileName) }
})

/** The live run's endpoint; null when there is none, or nothing that can be read as one. */
export const read = (workspace: string): Effect.Effect<Endpoint | null, never, Services> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { file } = yield* places(workspace)
    const info = yield* fs.lstat(file)
    if (info.type !== "File" || ByteSize.toBigInt(info.size) > BigInt(maxBytes)) return null
    const { token, url } = yield* Schema.decodeUnknownEffect(Content)(yield* fs.readFileString(file))
    return { url, token: Redacted.make(token, { label: "run token" }) }
  }).pipe(Effect.catch(() => Effect.succeed(null)))

/** Replaces the file as a whole. The agent can have put a link in its place, or in the directory's; neither is followed. */
const write = Effect.fnUntraced(function* (workspace: string, content: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { directory, file } = yield* places(workspace)
  yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
  if ((yield* fs.lstat(directory)).type !== "Directory") return { file, isWritten: false }
  const random = yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)
  const temporary = path.join(directory, `.${fileName}.${random.toString(36)}.tmp`)
  yield* fs.writeFileString(temporary, content, { flag: "wx", mode: 0o600 }).pipe(
    Effect.andThen(fs.rename(temporary, file)),
    Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
  )
  return { file, isWritten: true }
})

/** Removes the file unless another run has written its own since. */
const withdraw = Effect.fnUntraced(function* (workspace: string, token: string) {
  const fs = yield* FileSystem.FileSystem
  const current = yield* read(workspace)
  const { file } = yield* places(workspace)
  if (current !== null && Redacted.value(current.token) === token) yield* fs.remove(file, { force: true })
})

/** Writes the file for the time of the scope. */
export const publish = (
  workspace: string,
  { token, url }: Endpoint
): Effect.Effect<void, ToolsError, Scope.Scope | Services> => {
  const value = Redacted.value(token)
  const failed = (file: string, reason: string) =>
    new ToolsError({
      message: `${file} could not be written (${reason}); the agent's tools need it: mend its directory`
    })
  return Effect.acquireRelease(
    write(workspace, JSON.stringify({ url, token: value })).pipe(
      Effect.mapError((error: PlatformError) => failed(`${workspace}/${ownDirectory}/${fileName}`, error.reason._tag)),
      Effect.flatMap(({ file, isWritten }) =>
        isWritten ? Effect.void : Effect.fail(failed(file, `${ownDirectory} is not a directory`))
      )
    ),
    () => Effect.ignore(withdraw(workspace, value))
  )
}
