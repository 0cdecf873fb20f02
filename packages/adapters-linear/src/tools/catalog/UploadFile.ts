/** `upload_file`: a file of the workspace becomes part of the issue. */
import * as Digest from "effect/crypto/Digest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Mime from "effect/http/Mime"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import type { LinearApiService } from "../../LinearApi.ts"
import * as Comments from "../Comments.ts"
import * as Writing from "../operations/Writing.ts"
import * as Tool from "../Tool.ts"
import * as WorkspaceFile from "../WorkspaceFile.ts"
import { Line, Markdown } from "./Texts.ts"

export type Services = FileSystem.FileSystem | Path.Path | HttpClient.HttpClient

/** Larger files are refused; the file is held in memory while it is sent. */
export const maxUploadBytes = 25 * 1024 * 1024

const putTimeoutMs = 40_000
const loopback: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"])

interface Place {
  readonly uploadUrl: string
  readonly headers: ReadonlyArray<{ readonly key: string; readonly value: string }>
}

/** Puts the bytes where Linear said. The address is signed, so it appears in no message. */
const put = Effect.fnUntraced(function* (place: Place, contentType: string, bytes: Uint8Array) {
  const fail = (reason: string) => new Tool.ToolFailure({ message: `the file was not uploaded: ${reason}` })
  const url = URL.parse(place.uploadUrl)
  const isSafe = url !== null && (url.protocol === "https:" || (url.protocol === "http:" && loopback.has(url.hostname)))
  if (!isSafe) return yield* fail("Linear named a place for it that is not an https address")
  const client = yield* HttpClient.HttpClient
  const request = HttpClientRequest.put(place.uploadUrl).pipe(
    HttpClientRequest.bodyUint8Array(bytes, contentType),
    HttpClientRequest.setHeader("cache-control", "public, max-age=31536000"),
    HttpClientRequest.setHeaders(place.headers.map(({ key, value }) => [key, value] as const))
  )
  const status = yield* client.execute(request).pipe(
    Effect.map((response) => response.status),
    Effect.provideService(HttpClient.TracerPropagationEnabled, false),
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "error" }),
    Effect.scoped,
    Effect.mapError(({ reason }) => fail(`${url.host} could not be reached (${reason._tag}); try again`)),
    Effect.timeoutOrElse({
      duration: putTimeoutMs,
      orElse: () => Effect.fail(fail(`${url.host} did not take it within ${putTimeoutMs / 1000} s; try again`))
    })
  )
  if (status < 200 || status >= 300) return yield* fail(`${url.host} refused it with status ${status}; try again`)
})

const hexDigest = (bytes: Uint8Array) =>
  Effect.flatMap(Digest.Digest, (service) => service.digestHex(Digest.sha256, bytes)).pipe(
    Effect.provide(Digest.layerWebCrypto)
  )

/** How a comment shows the file. */
const reference = (name: string, contentType: string, assetUrl: string): string =>
  `${contentType.startsWith("image/") ? "!" : ""}[${name.replace(/[\\[\]]/g, "\\$&")}](${assetUrl})`

export const make = (api: LinearApiService): Effect.Effect<Tool.Tool, never, Services> =>
  Effect.gen(function* () {
    const context = Context.pick(
      FileSystem.FileSystem,
      Path.Path,
      HttpClient.HttpClient
    )(yield* Effect.context<Services>())
    return Tool.make({
      name: "upload_file",
      title: "Upload a file",
      description:
        "Uploads a file of the workspace to Linear and returns its address and the Markdown that shows it; with a comment, also comments on the issue. Everybody who may read the issue can read the file.",
      effect: "adds",
      input: Schema.Struct({
        path: Line.annotate({ description: "The file, relative to the workspace; links out of it are refused" }),
        comment: Schema.optionalKey(
          Markdown.annotate({
            description: "Comments this on the issue, with the file below it; no comment unless told"
          })
        )
      }),
      run: Effect.fnUntraced(function* (input, target) {
        const file = yield* WorkspaceFile.read(target.directory, input.path, maxUploadBytes)
        const contentType = Option.getOrElse(Mime.getType(file.name), () => "application/octet-stream")
        const { uploadFile } = yield* Writing.change(
          api,
          Writing.upload({ filename: file.name, contentType, size: file.bytes.length })
        )
        if (uploadFile === null) {
          return yield* new Tool.ToolFailure({ message: "the file was not uploaded: Linear named no place for it" })
        }
        yield* put(uploadFile, contentType, file.bytes)
        const { assetUrl } = uploadFile
        const markdown = reference(file.name, contentType, assetUrl)
        const data = { path: file.path, asset_url: assetUrl, markdown }
        const text = `Uploaded ${file.path} (${file.bytes.length} bytes): ${assetUrl}\nMarkdown: ${markdown}`
        if (input.comment === undefined) return { text, data }
        const key = `file:${file.path}:${yield* hexDigest(file.bytes)}:${input.comment}`
        const { isNew, value } = yield* Comments.post(api, target, key, `${input.comment}\n\n${markdown}`)
        const said = isNew ? "Commented" : "The comment was there already"
        return { text: `${text}\n${said}: ${value.url}`, data: { ...data, comment_url: value.url, created: isNew } }
      }, Effect.provideContext(context))
    })
  })
