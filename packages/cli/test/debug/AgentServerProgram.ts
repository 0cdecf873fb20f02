/** The fake agent-server as a program, started as the real one is: its supervisor knows no difference. */
import { FakeAgentServer, TurnScript } from "@opensymphony/adapters-openhands/testing"
import { readFileSync } from "node:fs"

const { argv, env } = process
const config = JSON.parse(readFileSync(env["OPENHANDS_AGENT_SERVER_CONFIG_PATH"] ?? "", "utf8"))
const server = await FakeAgentServer.start({
  apiKeys: config.session_api_keys,
  port: Number(argv[argv.indexOf("--port") + 1]),
  directory: env["OH_CONVERSATIONS_PATH"] ?? "",
  scripts: [{ match: "Slowly", steps: [TurnScript.longCommand(600_000)] }, { steps: [TurnScript.say("ready")] }]
})
process.on("SIGTERM", () => void server.close().then(() => process.exit(0)))
