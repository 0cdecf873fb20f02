/**
 * The adapters of a workflow whose tracker is Linear: the tracker, the tools for its agents, and the webhook listener.
 * Loaded only for such a workflow: the SDK takes its time.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as LinearApi from "@opensymphony/adapters-linear/LinearApi"
import type { LinearConfigurationError, LinearError } from "@opensymphony/adapters-linear/LinearError"
import * as LinearIdentifier from "@opensymphony/adapters-linear/LinearIdentifier"
import * as LinearTracker from "@opensymphony/adapters-linear/LinearTracker"
import * as LinearTools from "@opensymphony/adapters-linear/tools/LinearTools"
import * as LinearWebhooks from "@opensymphony/adapters-linear/webhooks/LinearWebhooks"
import * as WatchedPolls from "@opensymphony/adapters-linear/webhooks/WatchedPolls"
import type { IssueId } from "@opensymphony/core/domain/Ids"
import { ConfigurationError } from "@opensymphony/core/orchestrator/Configuration"
import { TrackerBackend } from "@opensymphony/core/ports/TrackerBackend"
import type { LinearTrackerSettings, WebhookSettings } from "@opensymphony/core/workflow/Workflow"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import { ownCommand } from "../OwnCommand.ts"

/** The tracker alone. */
export const tracker = (settings: LinearTrackerSettings): Layer.Layer<TrackerBackend, LinearConfigurationError> =>
  LinearTracker.layer(settings)

/** The id of the issue that people call so; null when the key sees none. */
export const issueId = (
  settings: LinearTrackerSettings,
  identifier: string
): Effect.Effect<IssueId | null, LinearConfigurationError | LinearError> =>
  Effect.flatMap(LinearApi.make(settings), (api) => LinearIdentifier.resolve(api, identifier))

/** An HTTP server of this process; `failure` is what is said when its port cannot be had. */
const listener = (host: string, port: number, failure: string) =>
  Layer.effect(
    HttpServer.HttpServer,
    NodeHttpServer.make(createServer, { host, port, gracefulShutdownTimeout: "2 seconds" }).pipe(
      Effect.mapError(() => new ConfigurationError({ message: failure }))
    )
  )

const loopback = listener("127.0.0.1", 0, "the tools for agents need a port on 127.0.0.1, and none can be listened on")

const listen = ({ host, path, port, secret }: WebhookSettings) => {
  const failure = `tracker.webhook.bind: cannot listen on ${host}:${port}; choose a free port, or end what listens there`
  return Layer.build(Layer.provide(LinearWebhooks.layer({ secret, path }), listener(host, port, failure))).pipe(
    Effect.map((context) => Context.get(context, LinearWebhooks.LinearWebhooks))
  )
}

/** What all Linear adapters of this process share: a port can be listened on once, also across reloads. */
export interface Share {
  readonly webhooks: (
    settings: WebhookSettings
  ) => Effect.Effect<LinearWebhooks.LinearWebhooksService, ConfigurationError, Scope.Scope>
}

export const share: Effect.Effect<Share, never, Scope.Scope> = Effect.gen(function* () {
  const wanted = new Map<string, WebhookSettings>()
  const listeners = yield* RcMap.make({
    lookup: (key: string) => {
      const settings = wanted.get(key)
      return settings === undefined
        ? Effect.die(new Error("a webhook was looked up that nobody asked for"))
        : listen(settings)
    }
  })
  return {
    webhooks: (settings) => {
      const key = `${settings.host}:${settings.port}`
      wanted.set(key, settings)
      // After a reload it is still listened for the adapters before it.
      return Effect.tap(RcMap.get(listeners, key), (service) => service.change(settings))
    }
  }
})

const trackerWithWebhooks = (settings: LinearTrackerSettings, { webhooks }: Share) => {
  if (settings.webhook === null) return LinearTracker.layerNoDeps(settings)
  const { webhook } = settings
  return Layer.effect(
    TrackerBackend,
    Effect.gen(function* () {
      const service = yield* webhooks(webhook)
      const api = yield* LinearApi.LinearApi
      return WatchedPolls.make(LinearTracker.make(api, settings, { changes: service.wakes }), service)
    })
  )
}

/** The tracker, and the tools that its agents get. */
export const layer = (
  settings: LinearTrackerSettings,
  shared: Share
): Layer.Layer<TrackerBackend, ConfigurationError | LinearConfigurationError, FileSystem.FileSystem | Path.Path> => {
  const tools = LinearTools.layer({
    bridge: ownCommand(["linear-mcp"]),
    workpadMarkers: settings.workpadMarkers,
    rawQueries: settings.rawQueries
  }).pipe(Layer.provide([loopback, FetchHttpClient.layer]))
  return Layer.merge(trackerWithWebhooks(settings, shared), tools).pipe(Layer.provide(LinearApi.layer(settings)))
}
