// Stands in for `python -m openhands.agent_server`, as far as its supervisor looks at it. What it does wrong is asked for
// in FAKE, and changes with the file that FAKE_SWITCH names.
import { spawn } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { env, argv, pid, execPath } from "node:process"

const option = (name) => argv[argv.indexOf(name) + 1]
const config = JSON.parse(readFileSync(env.OPENHANDS_AGENT_SERVER_CONFIG_PATH, "utf8"))
const faults = (env.FAKE ?? "").split(",")
const isSwitched = () => env.FAKE_SWITCH !== undefined && existsSync(env.FAKE_SWITCH)

writeFileSync("environment.json", JSON.stringify({ env, argv: argv.slice(2), pid, config }))
console.log("fake server starting")
if (faults.includes("dies")) {
  console.error(`cannot start: the token ${env.FAKE_TOKEN} and the key ${config.session_api_keys[0]} are no good`)
  console.error(
    JSON.stringify({ levelname: "ERROR", message: "giving up", exc_info: "Traceback\nValueError: no good" })
  )
  process.exit(3)
}
const calls = []
if (faults.includes("leaves")) {
  const child = spawn(execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" })
  writeFileSync("left.pid", String(child.pid))
  child.unref()
}

const server = createServer((request, response) => {
  const answer = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(body)
  if (isSwitched()) return undefined
  if (request.url === "/ready") return answer(faults.includes("never-ready") ? 503 : 200, "{}")
  if (request.url === "/server_info") return answer(200, '{"title":"OpenHands Agent Server","version":"1.57.0"}')
  if (request.headers["x-session-api-key"] !== config.session_api_keys[0]) return answer(401, "{}")
  if (request.url === "/api/conversations/count") return answer(200, "0")
  if (faults.includes("busy") && request.url?.startsWith("/api/conversations/")) {
    const { pathname, searchParams } = new URL(request.url, "http://server")
    calls.push(`${request.method} ${pathname.slice("/api/conversations/".length)}`)
    if (pathname.endsWith("/search") && searchParams.get("status") === "running") {
      return answer(200, JSON.stringify({ items: [{ id: "one" }, { id: "two" }], next_page_id: null }))
    }
    if (pathname.endsWith("/interrupt")) return answer(200, '{"success":true}')
  }
  return answer(404, "{}")
})
server.listen(Number(option("--port")), option("--host"))
process.on("SIGTERM", () => {
  console.log(`fake server ending ${calls.join(", ")}`)
  process.exit(0)
})
