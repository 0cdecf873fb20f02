import { assert, describe, it } from "@effect/vitest"
import * as Bootstrap from "../../src/server/Bootstrap.ts"
import * as ServerCommand from "../../src/server/ServerCommand.ts"
import * as Installation from "../../src/server/Installation.ts"
import { listenersOf } from "../../src/server/PortOwner.ts"

describe("the shell text that becomes the server", () => {
  it("takes every word as it is", () => {
    const script = ServerCommand.script(["/a b/py", "it's", "$(x)"], "[::1]", 7, "/log file")
    assert.strictEqual(script, `exec '/a b/py' 'it'\\''s' '$(x)' '--host' '::1' '--port' '7' >>'/log file' 2>&1`)
  })
})

describe("the server's module", () => {
  it("is started with more threads, whoever names it", () => {
    const [python, flag, program, ...rest] = Bootstrap.withThreads(["/opt/python", "-m", "openhands.agent_server"])
    assert.deepStrictEqual([python, flag, rest], ["/opt/python", "-c", []])
    assert.match(program ?? "", /run_module\("openhands\.agent_server", run_name="__main__"/)
  })

  it("is not looked for in other commands", () => {
    const words = ["docker", "run", "agent-server"]
    assert.deepStrictEqual(Bootstrap.withThreads(words), words)
  })
})

describe("the place of an installation", () => {
  it.each([
    [{ HOME: "/home/ann" }, "/home/ann/.local/share/opensymphony/openhands/1.57.0"],
    [{ HOME: "/home/ann", XDG_DATA_HOME: "/data/" }, "/data/opensymphony/openhands/1.57.0"],
    [{ HOME: "/home/ann", XDG_DATA_HOME: "relative" }, "/home/ann/.local/share/opensymphony/openhands/1.57.0"],
    [{}, undefined]
  ])("with %j", (environment, directory) => {
    assert.strictEqual(Installation.usual(environment)?.directory, directory)
  })
})

describe("the listeners in a table of sockets", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 777 1 0000 100",
    "   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 888 1 0000 20",
    "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 999 1 0000 100"
  ].join("\n")

  it("are those on the port that wait for connections", () => {
    assert.deepStrictEqual(listenersOf(table, 8080), ["777"])
  })
})
