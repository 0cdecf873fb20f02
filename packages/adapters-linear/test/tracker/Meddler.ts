/** A server between the adapter and the fake Linear that changes some answers, in ways in which the fake itself does not. */
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { Effect } from "effect"
import type { FakeLinear } from "../../src/testing/index.ts"

interface Body {
  data: { issues: { nodes: Array<Record<string, unknown> | null> } }
  errors?: ReadonlyArray<unknown>
}

/** The address of a server that hands on what it gets, and changes answers that list issues. */
export const make = Effect.fnUntraced(function* (linear: FakeLinear.FakeLinear, meddle: (body: Body) => void) {
  const server = Http.createServer(async (request, response) => {
    const chunks: Array<Buffer> = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const { authorization = "" } = request.headers
    const headers = { "content-type": "application/json", authorization }
    const answer = await fetch(linear.url, { method: "POST", headers, body: text })
    const body: Body = JSON.parse(await answer.text())
    if (/query Issues(ByIds)?\b/.test(text)) meddle(body)
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(body))
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
    () =>
      Effect.promise(() => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(resolve))
      })
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`
})
