// A way to a server through which sockets can be cut, as a network does: without a word to either side.
import * as Net from "node:net"

export interface CutProxy {
  readonly url: string
  /** Cuts every WebSocket that is open now, and tells how many that were. Plain requests go on. */
  readonly cut: () => number
  readonly close: () => Promise<void>
}

export async function start(target: string): Promise<CutProxy> {
  const { hostname, port } = new URL(target)
  const all = new Set<Net.Socket>()
  const webSockets = new Set<Net.Socket>()
  const server = Net.createServer((client) => {
    const upstream = Net.connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      all.add(socket)
      // Who is cut off says so, and nobody here needs to hear it.
      socket.on("error", () => socket.destroy())
      socket.on("close", () => {
        all.delete(socket)
        webSockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.once("data", (head: Buffer) => {
      if (/^upgrade:\s*websocket\r$/im.test(head.toString("latin1"))) webSockets.add(client)
      upstream.write(head)
      client.pipe(upstream)
    })
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("the proxy got no port")
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut: () => {
      const open = [...webSockets]
      for (const socket of open) socket.resetAndDestroy()
      return open.length
    },
    close: () => {
      for (const socket of all) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    }
  }
}
